#include "base/error.h"
#include "base/json.h"
#include "cli/commands/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "runtime/checkup.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace oauth3::cli {
namespace {

using base::Json;
using jail::Verdict;

/// Whoever can read the server's files has the human's authority (wire 2.5): an agent's key in the
/// home of the user who owns them shows that agents run as that user.
std::optional<jail::Finding> same_user(const std::filesystem::path& data_folder) {
    const char* const home = std::getenv("HOME");
    struct stat data {};
    if (home == nullptr || ::stat(data_folder.c_str(), &data) != 0 || data.st_uid != ::geteuid())
        return std::nullopt;
    struct stat key {};
    const std::string path = std::string(home) + "/.oauth3/key";
    if (::stat(path.c_str(), &key) != 0 || key.st_uid != data.st_uid) return std::nullopt;
    return jail::Finding{"agents", Verdict::weaker,
                         "an agent's key (" + path +
                             ") belongs to the user who runs the server: that agent can read the "
                             "server's files, and so decide",
                         "run the server as a user of its own: share/systemd/oauth3.service"};
}

Json to_json(const jail::CheckUp& found, bool accepted) {
    Json findings = Json::array();
    for (const jail::Finding& finding : found.findings) {
        Json row{{"name", finding.name},
                 {"verdict", jail::to_string(finding.verdict)},
                 {"seen", finding.seen}};
        if (!finding.mend.empty()) row["mend"] = finding.mend;
        findings.push_back(std::move(row));
    }
    return {{"ok", accepted}, {"findings", std::move(findings)}};
}

std::string_view colour_of(const std::string& verdict) {
    if (verdict == "yes") return "\x1b[32m";
    return verdict == "no" ? "\x1b[31m" : "\x1b[33m";
}

std::string render(const Json& document, bool colour) {
    std::string out;
    for (const Json& row : list_in(document, "findings")) {
        const auto name = row.at("name").get<std::string>();
        const auto verdict = row.at("verdict").get<std::string>();
        out += fmt::format("{:<13} {}{:<7}{} {}\n", name, colour ? colour_of(verdict) : "", verdict,
                           colour ? "\x1b[0m" : "", row.at("seen").get<std::string>());
        if (row.contains("mend"))
            out +=
                fmt::format("{:<13} {:<7} mend: {}\n", "", "", row.at("mend").get<std::string>());
    }
    out += document.at("ok").get<bool>() ? "Programs would be run.\n"
                                         : "Programs would be refused: 'oauth3 serve' does not "
                                           "start here.\n";
    return out;
}

ExitCode run_doctor(const Arguments& arguments, Context& context) {
    const jail::Spawner spawner = jail::Spawner::start();
    jail::CheckUp found = runtime::check_up(spawner, arguments.text_or("--deno", ""));
    const bool accepted = jail::unacceptable(found, {}).empty();
    if (auto finding = same_user(data_folder_of(arguments)))
        found.findings.push_back(std::move(*finding));
    print_either(to_json(found, accepted), render, context);
    return accepted ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

Command doctor_command() {
    return {
        .name = "doctor",
        .audience = Audience::server,
        .summary = "Try out every protection of the sandbox on this machine",
        .description =
            "Starts throw-away jails and tries in them what must fail. One line for each "
            "protection: yes; weaker, if it holds less than it could; watch, for a limit that the "
            "server holds instead of the kernel, up to a second late; no. Then what was seen, and "
            "how to mend it. Run it as the user who runs the server.\n\n"
            "Exit code 0 means that programs would be run: weaker and watch are accepted, no is "
            "not, unless the server is started with --allow-weak-sandbox.",
        .options = {data_folder_option(),
                    {.name = "--deno",
                     .value = "FILE",
                     .help = "The deno program that runs skills, if it is not found by itself",
                     .is_path = true},
                    json_option()},
        .run = &run_doctor,
    };
}

}  // namespace oauth3::cli
