#include "e2e/harness.h"

#include "base/files.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace oauth3::e2e {
namespace {

std::size_t take_body(char* data, std::size_t, std::size_t count, void* into) {
    static_cast<std::string*>(into)->append(data, count);
    return count;
}

std::size_t take_header(char* data, std::size_t, std::size_t count, void* into) {
    const std::string line(data, count);
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) return count;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t start = line.find_first_not_of(' ', colon + 1);
    const std::size_t end = line.find_last_not_of("\r\n");
    (*static_cast<std::map<std::string, std::string>*>(into))[name] =
        start == std::string::npos || end < start ? "" : line.substr(start, end - start + 1);
    return count;
}

bool names_content_type(const std::string& header) {
    return header.rfind("Content-Type", 0) == 0;
}

/// A deadline for loops that ask again; each turn is paced by a short held poll.
class Patience {
  public:
    void check(const std::string& what) const {
        if (std::chrono::steady_clock::now() > end_) throw std::runtime_error("no end of: " + what);
    }

  private:
    std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + kWatchdog;
};

}  // namespace

Json Reply::json() const try { return base::parse_json(body); } catch (const base::JsonError&) {
    return nullptr;
}

std::string Reply::text(const char* member) const {
    const Json document = json();
    if (!document.is_object() || !document.contains(member) || !document[member].is_string())
        return {};
    return document[member].get<std::string>();
}

Reply http(const std::string& base_url, const Call& call) {
    static const CURLcode initialised = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialised;
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(::curl_easy_init(), ::curl_easy_cleanup);
    CURL* const curl = handle.get();
    Reply out;
    curl_slist* list = ::curl_slist_append(nullptr, "Expect:");
    if (!call.key.empty())
        list = ::curl_slist_append(list, ("Authorization: Bearer " + call.key).c_str());
    for (const std::string& header : call.headers) list = ::curl_slist_append(list, header.c_str());
    const bool typed = std::any_of(call.headers.begin(), call.headers.end(), names_content_type);
    if (!typed) list = ::curl_slist_append(list, "Content-Type: application/json");
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, ::curl_slist_free_all);

    const std::string url = base_url + call.path;
    ::curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(curl, CURLOPT_PROXY, "");
    ::curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    ::curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, call.timeout_ms);
    ::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
    ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out.body);
    ::curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
    ::curl_easy_setopt(curl, CURLOPT_HEADERDATA, &out.headers);
    if (call.method == "HEAD") {
        ::curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (call.method != "GET" || !call.body.empty()) {
        ::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                           static_cast<curl_off_t>(call.body.size()));
        ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.c_str());
    }
    if (call.method != "HEAD") ::curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    const CURLcode code = ::curl_easy_perform(curl);
    if (code != CURLE_OK) {
        out.problem = ::curl_easy_strerror(code);
        out.status = 0;
        return out;
    }
    ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out.status);
    return out;
}

Server::Server(std::vector<std::string> options) : options_(std::move(options)) {
    start();
}

Server::~Server() = default;

void Server::start(bool same_port) {
    const std::string listen =
        same_port ? url_.substr(std::string("http://").size()) : "127.0.0.1:0";
    std::vector<std::string> argv{
        program(), "serve",           "--listen",       listen,         "--data-dir",
        data(),    "--owner-key-out", owner_key_file(), "--ready-file", folder_ / "ready"};
    argv.insert(argv.end(), options_.begin(), options_.end());
    process_ = std::make_unique<Process>(argv);
    const std::string line = process_->wait_line("listening on ");
    const std::size_t at = line.find("http://");
    url_ = line.substr(at, line.find(',', at) - at);
    owner_key_ = base::read_file(owner_key_file());
    if (owner_key_.ends_with('\n')) owner_key_.pop_back();
}

void Server::kill9() {
    process_->send_signal(SIGKILL);
    // Only its own end: what it left running may hold its streams.
    process_.reset();
}

Ended Server::stop() {
    process_->send_signal(SIGTERM);
    return process_->wait();
}

Reply Server::get(const std::string& path, const std::string& key) const {
    return call({.path = path, .key = key});
}

Reply Server::post(const std::string& path, const std::string& key, const Json& body) const {
    return call({.method = "POST", .path = path, .key = key, .body = base::dump_json(body)});
}

std::string Server::sign_up() const {
    const Reply reply = post("/signup", "", {{"name", "agent"}});
    if (reply.status != 200) throw std::runtime_error("no signup: " + reply.body + reply.problem);
    return reply.text("api_key");
}

namespace {

Submitted submitted(const Reply& reply) {
    if (reply.status != 200)
        throw std::runtime_error(
            fmt::format("not submitted: {} {}{}", reply.status, reply.body, reply.problem));
    Submitted out;
    out.reply = reply.json();
    out.id = reply.text("request_id");
    out.session = reply.text("session_id");
    const std::string url = reply.text("approval_url");
    const std::size_t token = url.find("token=");
    if (token != std::string::npos) out.token = url.substr(token + 6);
    return out;
}

}  // namespace

Submitted Server::submit(const std::string& key, const std::string& code, Json more) const {
    Json body{{"skill_id", "test"}, {"skill_code", code}};
    if (more.is_object()) body.update(more);
    return submitted(post("/execute", key, body));
}

Submitted Server::submit_scope(const std::string& key, const Json& body) const {
    return submitted(post("/scope", key, body));
}

Reply Server::decide(const std::string& id, const std::string& action, Json more) const {
    Json body{{"action", action}};
    if (more.is_object()) body.update(more);
    return post("/requests/" + id + "/decision", owner_key_, body);
}

Json Server::poll(const std::string& key, const std::string& id) const {
    const Patience patience;
    for (;;) {
        const Reply reply = get("/execute/" + id + "/status?wait=true", key);
        if (reply.status != 200)
            throw std::runtime_error(
                fmt::format("poll: {} {}{}", reply.status, reply.body, reply.problem));
        const std::string status = reply.text("status");
        if (status == "completed" || status == "failed" || status == "denied") return reply.json();
        patience.check("poll of " + id + ": " + reply.body);
    }
}

void Server::wait_state(const std::string& key, const std::string& id,
                        const std::string& state) const {
    const Patience patience;
    for (;;) {
        const Reply reply = get("/execute/" + id + "/status?wait=true&timeout=20", key);
        if (reply.text("state") == state) return;
        patience.check("waiting for " + state + ": " + reply.body + reply.problem);
    }
}

void Server::wait_running(std::size_t count) const {
    const Patience patience;
    const std::string key = sign_up();
    const std::string id = submit(key, "0").id;
    while (Family(process_->pid()).programs() < count) {
        get("/execute/" + id + "/status?wait=true&timeout=20", key);
        patience.check("waiting for running programs");
    }
}

Json Server::run(const std::string& key, const std::string& code, Json more) const {
    const Submitted made = submit(key, code, std::move(more));
    const Reply reply = decide(made.id, "approve");
    if (reply.status != 200) throw std::runtime_error("not approved: " + reply.body);
    return poll(key, made.id);
}

std::string Server::state(const std::string& id) const {
    return get("/execute/" + id + "/status", owner_key_).text("state");
}

std::unique_ptr<Process> Server::cli(const std::vector<std::string>& arguments,
                                     std::map<std::string, std::string> environment) const {
    const auto home = folder_ / "home";
    std::filesystem::create_directories(home);
    for (const char* name : {"OAUTH3_API_KEY", "OAUTH3_OWNER_KEY"}) environment.emplace(name, "");
    environment.emplace("HOME", home.string());
    environment.emplace("OAUTH3_URL", url_);
    std::vector<std::string> argv{program()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return std::make_unique<Process>(argv, environment);
}

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace oauth3::e2e
