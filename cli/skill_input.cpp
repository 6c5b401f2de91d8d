#include "cli/skill_input.h"

#include "base/crypto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

namespace oauth3::cli {
namespace {

/// The server takes bodies of 1 MiB (wire 1.2), so more cannot be meant.
constexpr std::size_t kMaxInput = std::size_t{1} << 20;

/// Whether "-" stands for standard input.
enum class Stdin { no, yes };

std::string read_input(const std::string& path, std::string_view option, Stdin input) {
    std::string text;
    try {
        text = input == Stdin::yes && path == "-" ? base::read_all(STDIN_FILENO, kMaxInput)
                                                  : base::read_file(path, kMaxInput);
    } catch (const base::Error& error) {
        throw UsageError(fmt::format("{}: {}.", option, error.what()));
    }
    // It travels as a JSON string: other bytes would arrive changed, and be approved changed.
    if (!base::is_valid_utf8(text))
        throw UsageError(fmt::format("{}: {} is not UTF-8 text.", option, path));
    return text;
}

std::string read_object(const std::string& path, std::string_view option, Stdin input) {
    std::string text = read_input(path, option, input);
    try {
        if (!base::parse_json(text).is_object())
            throw UsageError(fmt::format("{}: {} holds no JSON object.", option, path));
    } catch (const base::JsonError& error) {
        throw UsageError(fmt::format("{}: {}: {}.", option, path, error.what()));
    }
    return text;
}

std::string skill_id_of(const std::string& path) {
    if (path == "-") return {};
    std::string name = std::filesystem::path(path).filename().string();
    if (name.size() > 3 && name.ends_with(".ts")) name.resize(name.size() - 3);
    return base::is_valid_utf8(name) ? name : std::string();
}

}  // namespace

std::string text_argument(const Arguments& arguments, std::string_view option) {
    std::string text = arguments.text_or(option, "");
    if (!base::is_valid_utf8(text)) throw UsageError(fmt::format("{} must be UTF-8 text.", option));
    return text;
}

std::string read_json_object(const Arguments& arguments, std::string_view option) {
    return read_object(arguments.text_or(option, ""), option, Stdin::no);
}

std::string read_positional_object(const Arguments& arguments) {
    return read_object(arguments.positional(), "FILE", Stdin::yes);
}

std::string sentence_of(const base::Malformed& problem) {
    std::string place = base::make_visible(problem.field(), false);
    if (problem.index()) place += fmt::format("[{}]", *problem.index());
    return place.empty() ? std::string(problem.what())
                         : fmt::format("{}: {}", place, problem.what());
}

ExecuteRequest read_skill(const Arguments& arguments) {
    ExecuteRequest out;
    if (!arguments.has("--code") && !arguments.has("--skill-url"))
        throw UsageError("This needs --code FILE or --skill-url URL.");
    if (arguments.has("--code") && arguments.has("--skill-url"))
        throw UsageError("--code and --skill-url cannot be given together.");
    if (const auto path = arguments.text("--code")) {
        out.skill_code = read_input(*path, "--code", Stdin::yes);
        out.skill_id = skill_id_of(*path);
    }
    out.skill_url = text_argument(arguments, "--skill-url");
    if (arguments.has("--skill-id")) out.skill_id = text_argument(arguments, "--skill-id");
    out.skill_sha256 = arguments.text_or("--skill-sha256", "");
    if (!out.skill_sha256.empty() && !base::is_lower_hex(out.skill_sha256, 64))
        throw UsageError("--skill-sha256 takes 64 lower-case hex digits.");
    out.session_id = text_argument(arguments, "--session");

    out.secrets = words_of(text_argument(arguments, "--secrets"));
    // Without names the server would take those of the program's header.
    if (arguments.has("--secrets") && out.secrets.empty())
        throw UsageError("--secrets names no secret.");

    base::Json args = base::Json::object();
    if (arguments.has("--args")) args = base::parse_json(read_json_object(arguments, "--args"));
    for (const std::string& pair : arguments.list("--arg")) {
        const std::size_t equals = pair.find('=');
        if (equals == 0 || equals == std::string::npos)
            throw UsageError(fmt::format("--arg must look like NAME=TEXT, not '{}'.",
                                         base::make_visible(base::cut_utf8(pair, 80), false)));
        if (!base::is_valid_utf8(pair)) throw UsageError("--arg must be UTF-8 text.");
        args[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
    if (!args.empty()) out.args_json = base::dump_json(args);
    return out;
}

}  // namespace oauth3::cli
