#include "policy/phrase_places.h"

#include "skill/names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace oauth3::policy {
namespace {

using Rest = std::span<const Word>;

constexpr std::array<std::string_view, 7> kMethods{"get", "head",  "options", "post",
                                                   "put", "patch", "delete"};

/// Endings of files that are no top-level domains: who writes "only access data.json" means no
/// host.
constexpr std::array<std::string_view, 16> kFileEndings{
    "json", "yaml", "yml", "toml", "txt", "csv", "js",  "ts",
    "html", "xml",  "pdf", "sql",  "log", "env", "ini", "cfg"};

constexpr std::array<std::string_view, 20> kSmall{
    "zero",     "one",     "two",     "three",     "four",     "five",    "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 10> kTens{"",      "",      "twenty",  "thirty", "forty",
                                                 "fifty", "sixty", "seventy", "eighty", "ninety"};

/// Where `item` is in `list`; its size if nowhere.
template <std::size_t N>
std::size_t index_of(const std::array<std::string_view, N>& list, std::string_view item) {
    return static_cast<std::size_t>(std::find(list.begin(), list.end(), item) - list.begin());
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view item) {
    return index_of(list, item) < N;
}

template <typename T>
void add_once(std::vector<T>& list, T item) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

bool is_printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

/// Words between two items: "," and "and" and ", and"; 0 if there are none.
std::size_t joint(Rest words, bool with_or) {
    const auto is_and = [with_or](const Word& word) {
        return word.is("and") || (with_or && word.is("or"));
    };
    if (words.empty()) return 0;
    if (is_and(words[0])) return 1;
    if (!words[0].is(",")) return 0;
    return words.size() > 1 && is_and(words[1]) ? 2 : 1;
}

template <typename ReadItem>
std::size_t read_list(Rest words, bool with_or, const ReadItem& read_item) {
    for (std::size_t taken = 0;;) {
        if (taken == words.size() || !read_item(words[taken])) return 0;
        ++taken;
        const std::size_t between = joint(words.subspan(taken), with_or);
        if (between == 0) return taken;
        taken += between;
    }
}

bool read_host(const Word& word, Places& into) {
    // ASCII only: a host in other letters may look like one that it is not.
    if (!is_printable_ascii(word.text) || word.text.ends_with('.')) return false;
    auto read = base::parse_network(word.text);
    if (!read.network) return false;
    const std::string& host = read.network->host;
    const std::size_t dot = host.rfind('.');
    if (dot == std::string::npos && host != "localhost" && !host.starts_with('[')) return false;
    if (dot != std::string::npos && contains(kFileEndings, std::string_view(host).substr(dot + 1)))
        return false;
    add_once(into.hosts, std::move(*read.network));
    return true;
}

bool read_method(const Word& word, Places& into) {
    if (!contains(kMethods, word.lower)) return false;
    std::string name = word.lower;
    for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
    add_once(into.methods, std::move(name));
    return true;
}

bool read_path(const Word& word, Places& into) {
    if (!is_printable_ascii(word.text) || !word.text.starts_with('/')) return false;
    auto read = PathPattern::parse(word.text);
    if (!std::holds_alternative<PathPattern>(read)) return false;
    add_once(into.paths, std::get<PathPattern>(std::move(read)));
    return true;
}

bool read_secret(const Word& word, Places& into) {
    if (!skill::is_secret_name(word.text) || skill::is_reserved_name(word.text)) return false;
    add_once(into.secrets, word.text);
    return true;
}

bool is_name(std::string_view text) {
    const auto is_name_character = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= 100 &&
           std::all_of(text.begin(), text.end(), is_name_character) &&
           text.find_first_not_of('.') != std::string_view::npos;
}

bool read_owner(const Word& word, Places& into) {
    if (!is_name(word.text)) return false;
    into.owner = word.text;
    return true;
}

bool read_repository(const Word& word, Places& into) {
    const std::size_t slash = word.text.find('/');
    if (slash == std::string::npos) return false;
    const std::string owner = word.text.substr(0, slash), name = word.text.substr(slash + 1);
    if (!is_name(owner) || !is_name(name) || name.ends_with(".git")) return false;
    into.owner = owner;
    into.repository = name;
    return true;
}

/// Not "HEAD", a start of a commit's id, or a range: there git would not look for the branch.
bool read_branch(const Word& word, Places& into) {
    const std::string_view name = word.lower;
    const bool hex = name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (!is_name(name) || name == "head" || (hex && name.size() >= 4) || name.starts_with('-') ||
        name.starts_with('.') || name.ends_with(".lock") ||
        name.find("..") != std::string_view::npos)
        return false;
    into.branch = word.text;
    return true;
}

std::int64_t number_in_words(std::string_view word) {
    if (const std::size_t small = index_of(kSmall, word); small < kSmall.size())
        return static_cast<std::int64_t>(small);
    const std::size_t hyphen = word.find('-');
    const std::size_t ten = index_of(kTens, word.substr(0, hyphen));
    if (ten < 2 || ten == kTens.size()) return 0;
    if (hyphen == std::string_view::npos) return static_cast<std::int64_t>(ten * 10);
    const std::size_t one = index_of(kSmall, word.substr(hyphen + 1));
    return one >= 1 && one <= 9 ? static_cast<std::int64_t>(ten * 10 + one) : 0;
}

bool read_number(const Word& word, std::int64_t& into) {
    const std::string& text = word.lower;
    std::int64_t value = 0;
    if (text[0] >= '1' && text[0] <= '9' && text.size() <= 6) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) return false;
    } else {
        value = number_in_words(text);
    }
    if (value < 1) return false;
    into = value;
    return true;
}

/// How long one unit is; with `many` also in the plural.
base::Seconds unit(std::string_view word, bool many) {
    if (many && word.ends_with('s')) word.remove_suffix(1);
    if (word == "second") return base::Seconds(1);
    if (word == "minute" || (many && word == "min")) return std::chrono::minutes(1);
    if (word == "hour") return std::chrono::hours(1);
    if (word == "day") return std::chrono::hours(24);
    return base::Seconds(0);
}

std::size_t read_duration(Rest words, Places& into) {
    const auto is_one = [](const Word& word) { return word.is("a") || word.is("an"); };
    std::int64_t number = 1;
    std::size_t taken = 0;
    if (words.size() >= 3 && words[0].is("half") && words[1].is("an") && words[2].is("hour")) {
        into.duration = std::chrono::minutes(30);
        taken = 3;
    } else if (words.size() >= 2 && (is_one(words[0]) || read_number(words[0], number))) {
        into.duration = number * unit(words[1].lower, !is_one(words[0]));
        taken = 2;
    }
    return into.duration.count() > 0 ? taken : 0;
}

bool read_unit(const Word& word, Places& into) {
    into.duration = unit(word.lower, false);
    return into.duration.count() > 0;
}

/// A place that one word fills.
using ReadWord = bool (*)(const Word&, Places&);

struct OneWord {
    std::string_view place;
    ReadWord read;
};

constexpr std::array<OneWord, 6> kOneWord{{
    {"{METHOD}", read_method},
    {"{OWNER}", read_owner},
    {"{OWNER}/{REPO}", read_repository},
    {"{BRANCH}", read_branch},
    {"{N}", [](const Word& word, Places& into) { return read_number(word, into.count); }},
    {"{UNIT}", read_unit},
}};

constexpr std::array<OneWord, 4> kLists{{
    {"{HOSTS}", read_host},
    {"{METHODS}", read_method},
    {"{PATHS}", read_path},
    {"{SECRETS}", read_secret},
}};

template <std::size_t N>
ReadWord reader_of(const std::array<OneWord, N>& places, std::string_view name) {
    const auto found = std::find_if(places.begin(), places.end(),
                                    [name](const OneWord& place) { return place.place == name; });
    return found == places.end() ? nullptr : found->read;
}

}  // namespace

std::size_t read_place(std::string_view place, Rest words, Places& into) {
    if (words.empty()) return 0;
    if (place == "{DURATION}") return read_duration(words, into);
    if (const ReadWord read = reader_of(kOneWord, place)) return read(words[0], into) ? 1 : 0;
    const ReadWord read = reader_of(kLists, place);
    if (read == nullptr) return 0;
    return read_list(words, place == "{METHODS}",
                     [&](const Word& word) { return read(word, into); });
}

bool is_place(std::string_view name) {
    return name == "{DURATION}" || reader_of(kOneWord, name) != nullptr ||
           reader_of(kLists, name) != nullptr;
}

}  // namespace oauth3::policy
