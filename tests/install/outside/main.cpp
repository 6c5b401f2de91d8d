// A program of somebody else: an agent and its human in one.
//   outside URL OWNER_KEY

#include <oauth3/client.h>

#include <csignal>
#include <cstdio>

int main(int argc, char** argv) try {
    if (argc != 3) return 2;
    std::signal(SIGPIPE, SIG_IGN);

    oauth3::Client::Options human_options;
    human_options.url = argv[1];
    human_options.owner_key = argv[2];
    oauth3::Client human(human_options);

    oauth3::Client::Options options;
    options.url = argv[1];
    options.timeout = std::chrono::minutes(2);
    options.progress = [&human](const oauth3::Progress& progress) {
        if (progress.kind != oauth3::Progress::Kind::submitted) return;
        std::fprintf(stderr, "to approve: %s\n", progress.url.c_str());
        oauth3::Client::Decision decision;
        decision.approve = true;
        human.decide(progress.text, decision);
    };
    oauth3::Client agent = oauth3::Client::create(options);

    oauth3::ExecuteRequest request;
    request.skill_id = "outside";
    request.skill_code = "console.log('hello', Deno.env.get('WHO'))\n";
    request.args_json = R"({"WHO":"outside"})";
    if (agent.dry_run(request).would_auto_approve) return 3;
    const oauth3::RequestState state = agent.execute_and_wait(request);
    if (!state.result) return 4;
    std::printf("%s: %s\n", state.status.c_str(), state.result->out.c_str());
    return state.result->exit_code;
} catch (const oauth3::ClientError& error) {
    std::fprintf(stderr, "%s (%s)\n", error.what(), error.code().c_str());
    return 1;
}
