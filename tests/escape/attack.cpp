#include "escape/attack.h"

#include "escape/scene.h"

#include <algorithm>

namespace oauth3::escape {
namespace {

int counted = 0;

std::string any_of(const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " or ") + word;
    return text;
}

void check_outside(const Attack& attack) {
    const Outside& outside = attack.outside;
    switch (outside.who) {
        case Outside::Who::nobody:
            CHECK(outside.why_not != "");
            return;
        case Outside::Who::root:
            if (!is_mighty()) return;
            break;
        case Outside::Who::anybody:
            break;
    }
    // What is told must tell the two apart.
    for (const std::string& told : outside.told)
        CHECK(std::find(attack.inside.begin(), attack.inside.end(), told) == attack.inside.end());
    Words words = fill_in(outside.words.empty() ? attack.words : outside.words);
    if (outside.alone) words.insert(words.begin(), "alone");
    std::string told = jail::test::outside(words);
    if (told.ends_with('\n')) told.pop_back();
    INFO("outside");
    expect(told, outside.told);
}

}  // namespace

Outside succeeds(Words told) {
    return {.who = Outside::Who::anybody, .told = std::move(told)};
}

Outside succeeds_as_root(Words told) {
    return {.who = Outside::Who::root, .told = std::move(told)};
}

Outside succeeds_alone(Words told) {
    return {.who = Outside::Who::anybody, .told = std::move(told), .alone = true};
}

Outside not_shown(std::string why) {
    return {.who = Outside::Who::nobody, .why_not = std::move(why)};
}

Outside with_words(Words words, Outside outside) {
    outside.words = std::move(words);
    return outside;
}

void expect(const std::string& told, const Words& expected) {
    const bool good = std::find(expected.begin(), expected.end(), told) != expected.end();
    CHECK(told == (good ? told : any_of(expected)));
}

void check(const Attack& attack) {
    prepare_scene();
    expect(told_by(jail::test::run(spec(attack.words))), attack.inside);
    {
        INFO("in a jail that waited for it");
        const jail::Spawner& spawner = jail::test::spawner();
        REQUIRE(jail::test::come_to_rest(spawner, 1));
        const std::vector<pid_t> spares = jail::test::children_of(spawner.pid());
        jail::Process process = spawner.launch(spec(attack.words));
        CHECK(process.pid() == spares.at(0));
        expect(told_by(jail::supervise(std::move(process), {})), attack.inside);
    }
    check_outside(attack);
}

int count_attack() {
    return ++counted;
}

int number_of_attacks() {
    return counted;
}

}  // namespace oauth3::escape
