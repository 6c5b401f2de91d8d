#pragma once

#include "support/catch.h"

#include <string>
#include <vector>

namespace oauth3::escape {

using Words = std::vector<std::string>;

/// What the same attack does without the jail: without that, a test that cannot fail would not be
/// noticed.
struct Outside {
    enum class Who {
        anybody,  ///< run as whoever runs the tests
        root,     ///< only if that is root, with its rights
        nobody,   ///< not shown: `why_not`
    };
    Who who = Who::nobody;
    /// What it may tell; several only where kernels differ.
    Words told = {};
    /// In namespaces of its own, where the attacker is root.
    bool alone = false;
    std::string why_not = {};
    /// Other words than in the jail, if there are any.
    Words words = {};
};

Outside succeeds(Words told = {"ok"});
Outside succeeds_as_root(Words told = {"ok"});
Outside succeeds_alone(Words told = {"ok"});
Outside not_shown(std::string why);
/// The same with other words: often only the path differs.
Outside with_words(Words words, Outside outside);

/// One hostile program and the one thing that it tries.
struct Attack {
    /// A word of the hostile program and its arguments. {server}, {helper}, {folder} and the like
    /// stand for what scene.h has.
    Words words;
    /// What it may tell in the jail: the name of an errno value, or of the signal that ends it.
    /// Several only where kernels differ.
    Words inside;
    Outside outside;
};

/// Makes the attack in a jail and outside, and checks both results.
void check(const Attack& attack);

/// Checks that what was told is one of these.
void expect(const std::string& told, const Words& expected);

/// Counts the rows; returns that number.
int count_attack();
/// All rows of all files, known before the first test runs.
int number_of_attacks();

}  // namespace oauth3::escape

/// One row of the table, and one named test: ATTACK(name, {words}, {told inside}, outside).
#define ATTACK(name, ...) ATTACK_AT(__LINE__, name, __VA_ARGS__)
#define ATTACK_AT(line, name, ...) ATTACK_COUNTED(line, name, __VA_ARGS__)
#define ATTACK_COUNTED(line, name, ...)                                                       \
    [[maybe_unused]] static const int attack_in_line_##line = oauth3::escape::count_attack(); \
    TEST_CASE(name, "[attack]") {                                                             \
        oauth3::escape::check({__VA_ARGS__});                                                 \
    }                                                                                         \
    static_assert(true)
