// Differences of texts, against a table of longest common subsequences.
#include "base/diff.h"

#include "support/catch.h"
#include "support/property.h"

#include <algorithm>
#include <string>

using namespace oauth3::base;
using Kind = DiffLine::Kind;

namespace {

std::string join(const std::vector<std::string_view>& lines) {
    std::string out;
    for (const std::string_view line : lines) out += std::string(line) + '\n';
    return out;
}

/// The lines of one side of a difference that shows everything.
std::string side(const std::vector<Hunk>& hunks, Kind left_out) {
    std::vector<std::string_view> out;
    for (const Hunk& hunk : hunks)
        for (const DiffLine& line : hunk)
            if (line.kind != left_out) out.push_back(line.text);
    return join(out);
}

std::size_t changes(const std::vector<Hunk>& hunks) {
    std::size_t out = 0;
    for (const Hunk& hunk : hunks)
        out += static_cast<std::size_t>(
            std::count_if(hunk.begin(), hunk.end(),
                          [](const DiffLine& line) { return line.kind != Kind::same; }));
    return out;
}

/// The fewest lines to remove and add, by the quadratic table.
std::size_t fewest(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
    std::vector<std::vector<std::size_t>> common(a.size() + 1,
                                                 std::vector<std::size_t>(b.size() + 1, 0));
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j)
            common[i][j] = a[i - 1] == b[j - 1] ? common[i - 1][j - 1] + 1
                                                : std::max(common[i - 1][j], common[i][j - 1]);
    return a.size() + b.size() - 2 * common[a.size()][b.size()];
}

std::string few_words() {
    std::string out;
    const auto count = *rc::gen::inRange(0, 40);
    const auto words = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i)
        out += std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, words))) + '\n';
    if (*rc::gen::arbitrary<bool>() && !out.empty()) out.pop_back();
    return out;
}

}  // namespace

TEST_CASE("a difference is true, numbered right and the shortest") {
    CHECK(rc::check([] {
        const std::string before = few_words();
        const std::string after = few_words();
        const auto a = split_lines(before);
        const auto b = split_lines(after);
        const auto all = diff_lines(before, after, 1000);
        RC_ASSERT(all.empty() == (a == b));
        if (!all.empty()) {
            RC_ASSERT(side(all, Kind::added) == join(a));
            RC_ASSERT(side(all, Kind::removed) == join(b));
        }
        RC_ASSERT(changes(all) == fewest(a, b));
        for (const Hunk& hunk : all)
            for (const DiffLine& line : hunk) {
                RC_ASSERT((line.old_line == 0) == (line.kind == Kind::added));
                RC_ASSERT((line.new_line == 0) == (line.kind == Kind::removed));
                if (line.old_line != 0) {
                    RC_ASSERT(a.at(line.old_line - 1) == line.text);
                }
                if (line.new_line != 0) {
                    RC_ASSERT(b.at(line.new_line - 1) == line.text);
                }
            }
    }));
}

TEST_CASE("hunks hold every change, with at most the context around it") {
    CHECK(rc::check([] {
        const std::string before = few_words();
        const std::string after = few_words();
        const auto context = *rc::gen::inRange<std::size_t>(0, 5);
        const auto hunks = diff_lines(before, after, context);
        RC_ASSERT(changes(hunks) == changes(diff_lines(before, after, 1000)));
        std::size_t last_old = 0;
        std::size_t last_new = 0;
        for (const Hunk& hunk : hunks) {
            RC_ASSERT(changes({hunk}) > 0U);
            std::size_t run = 0;
            bool changed = false;
            for (const DiffLine& line : hunk) {
                run = line.kind == Kind::same ? run + 1 : 0;
                changed = changed || line.kind != Kind::same;
                RC_ASSERT(run <= (changed ? 2 * context : context));
                if (line.old_line != 0) {
                    RC_ASSERT(line.old_line > last_old);
                    last_old = line.old_line;
                }
                if (line.new_line != 0) {
                    RC_ASSERT(line.new_line > last_new);
                    last_new = line.new_line;
                }
            }
            RC_ASSERT(run <= context);
        }
    }));
}

TEST_CASE("a difference that is too long to search is still true") {
    std::string before = "same\n";
    std::string after = "same\n";
    for (int i = 0; i < 20'000; ++i) {
        before += "old " + std::to_string(i) + "\n";
        after += "new " + std::to_string(i) + "\n";
    }
    before += "end\n";
    after += "end\n";
    const auto hunks = diff_lines(before, after, 3);
    REQUIRE(hunks.size() == 1);
    CHECK(side(hunks, Kind::added) == before);
    CHECK(side(hunks, Kind::removed) == after);
    // A megabyte of empty lines against one of short ones.
    const std::string blank(1 << 20, '\n');
    const std::string wrapped = "x\n" + blank + "y";
    CHECK(changes(diff_lines(blank, wrapped, 0)) == 2);
}

TEST_CASE("lines end with a line feed, and the last one may go without") {
    using List = std::vector<std::string_view>;
    CHECK(split_lines("") == List{});
    CHECK(split_lines("\n") == List{""});
    CHECK(split_lines("a") == List{"a"});
    CHECK(split_lines("a\n") == List{"a"});
    CHECK(split_lines("a\n\nb\r\n") == List{"a", "", "b\r"});
    CHECK(diff_lines("a\nb", "a\nb\n").empty());
    CHECK(diff_lines("a\r\n", "a\n").size() == 1);
}
