#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands/commands.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/render_lists.h"
#include "cli/skill_input.h"

#include <fmt/format.h>

// Who there is: agents, their keys, invites and owners.

namespace oauth3::cli {
namespace {

using base::Json;

/// A name, as the positional argument.
std::string name_of(const Arguments& arguments) {
    if (!base::is_valid_utf8(arguments.positional())) throw UsageError("A name is UTF-8 text.");
    return arguments.positional();
}

ExitCode print_new(const Reply& reply, std::string_view what, Context& context) {
    return print_either(
        base::parse_json(reply.json),
        [what](const Json& row, bool colour) { return render_new(row, what, colour); }, context);
}

ExitCode print_list(const Reply& reply, const char* name, std::vector<Column> columns,
                    Context& context) {
    return print_either(
        base::parse_json(reply.json),
        [&](const Json& document, bool colour) {
            return render_table(list_in(document, name), columns,
                                fmt::format("There are no {}.", name), colour);
        },
        context);
}

ExitCode list_tenants(const Arguments& arguments, Context& context) {
    return print_list(
        connect_owner(arguments, context).tenants(), "tenants",
        {{"TENANT", "tenant_id"}, {"CREATED", "created_at", true}, {"NAME (CLAIMED)", "name"}},
        context);
}

ExitCode create_tenant(const Arguments& arguments, Context& context) {
    const std::string name = name_of(arguments);
    return print_new(connect_owner(arguments, context).create_tenant(name), "agent", context);
}

ExitCode list_keys(const Arguments& arguments, Context& context) {
    const std::string tenant = text_argument(arguments, "--tenant");
    return print_list(connect_owner(arguments, context).keys(tenant), "keys",
                      {{"KEY", "id"},
                       {"ROLE", "role"},
                       {"TENANT", "tenant_id"},
                       {"CREATED", "created_at", true},
                       {"REVOKED", "revoked_at", true}},
                      context);
}

ExitCode create_key(const Arguments& arguments, Context& context) {
    const std::string tenant = text_argument(arguments, "--tenant");
    if (arguments.has("--own") && !tenant.empty())
        throw UsageError("--own and --tenant cannot be given together.");
    Client client = connect_owner(arguments, context);
    return print_new(arguments.has("--own") ? client.create_owner_key() : client.create_key(tenant),
                     "key", context);
}

ExitCode revoke_key(const Arguments& arguments, Context& context) {
    const std::string id = arguments.positional();
    if (!is_request_id(id))
        throw UsageError("This is not the id of a key, such as key_5d0c12ab34cd56ef.",
                         "'oauth3 key list' shows the ids.");
    return print_either(
        base::parse_json(connect_owner(arguments, context).revoke_key(id).json),
        [&id](const Json&, bool) { return fmt::format("Revoked {}.\n", id); }, context);
}

ExitCode list_invites(const Arguments& arguments, Context& context) {
    return print_list(connect_owner(arguments, context).invites(), "invites",
                      {{"INVITE", "id"},
                       {"USES", "uses"},
                       {"OF", "max_uses"},
                       {"CREATED", "created_at", true},
                       {"ENDS", "expires_at", true},
                       {"OWNER", "owner_id"}},
                      context);
}

ExitCode create_invite(const Arguments& arguments, Context& context) {
    using std::chrono::days;
    const auto uses = static_cast<int>(arguments.whole("--max-uses", 1, 1, 1000));
    const auto life =
        arguments.duration("--expires-in", days(7), std::chrono::minutes(1), days(30));
    const std::string owner = text_argument(arguments, "--owner");
    return print_new(connect_owner(arguments, context).create_invite(uses, life, owner), "invite",
                     context);
}

ExitCode list_owners(const Arguments& arguments, Context& context) {
    return print_list(
        connect_owner(arguments, context).owners(), "owners",
        {{"OWNER", "id"}, {"ROLE", "role"}, {"CREATED", "created_at", true}, {"NAME", "name"}},
        context);
}

ExitCode create_owner(const Arguments& arguments, Context& context) {
    const std::string name = name_of(arguments);
    return print_new(connect_owner(arguments, context).create_owner(name), "owner", context);
}

OptionSpec one_tenant_option() {
    return {.name = "--tenant",
            .value = "ID",
            .help = "The agent whose keys are meant; 'oauth3 tenant list' shows the ids"};
}

}  // namespace

std::vector<Command> tenant_commands() {
    return {
        {
            .name = "tenant list",
            .audience = Audience::human,
            .summary = "List your agents",
            .description = "A tenant is one agent. Its name is what the agent calls itself; nobody "
                           "has checked it.",
            .options = human_options({}),
            .run = &list_tenants,
        },
        {
            .name = "tenant create",
            .audience = Audience::human,
            .summary = "Make an agent and print its key, which is shown once",
            .positional = "NAME",
            .positional_help = "What the agent is called",
            .options = human_options({}),
            .run = &create_tenant,
        },
    };
}

std::vector<Command> key_commands() {
    return {
        {
            .name = "key list",
            .audience = Audience::human,
            .summary = "List the keys of your agents and your own, by their ids",
            .options = human_options({one_tenant_option()}),
            .run = &list_keys,
        },
        {
            .name = "key create",
            .audience = Audience::human,
            .summary = "Make one more key and print it, once",
            .options = human_options(
                {one_tenant_option(),
                 {.name = "--own", .help = "Make a key of your own instead of an agent's"}}),
            .run = &create_key,
        },
        {
            .name = "key revoke",
            .audience = Audience::human,
            .summary = "End a key at once",
            .positional = "ID",
            .positional_help = "The id of the key, not the key itself",
            .options = human_options({}),
            .run = &revoke_key,
        },
    };
}

std::vector<Command> invite_commands() {
    return {
        {
            .name = "invite list",
            .audience = Audience::human,
            .summary = "List invites; for the server's owner",
            .options = human_options({}),
            .run = &list_invites,
        },
        {
            .name = "invite create",
            .audience = Audience::human,
            .summary = "Make an invite and print it, once; for the server's owner",
            .description = "On a server with --signup invite an agent needs it to sign up: 'oauth3 "
                           "signup --invite TEXT'.",
            .options =
                human_options({{.name = "--max-uses",
                                .value = "N",
                                .help = "How many agents can sign up with it; default: 1"},
                               {.name = "--expires-in",
                                .value = "TIME",
                                .help = "How long it is good; default: 7d, at most 30d"},
                               {.name = "--owner",
                                .value = "ID",
                                .help = "The owner to whom the agents will belong; default: you"}}),
            .run = &create_invite,
        },
    };
}

std::vector<Command> owner_commands() {
    return {
        {
            .name = "owner list",
            .audience = Audience::human,
            .summary = "List the humans who own agents here; for the server's owner",
            .options = human_options({}),
            .run = &list_owners,
        },
        {
            .name = "owner create",
            .audience = Audience::human,
            .summary = "Make an owner and print the key, once; for the server's owner",
            .positional = "NAME",
            .positional_help = "What the owner is called",
            .options = human_options({}),
            .run = &create_owner,
        },
    };
}

}  // namespace oauth3::cli
