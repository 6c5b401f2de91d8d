#pragma once

#include "client/channel.h"

namespace oauth3::client {

/// The call that POSTs `body` to /execute or /scope, again and again until there is an answer or
/// the time is over, always with the same key (an empty one means a random one) and bytes. Throws
/// std::invalid_argument for a key that cannot stand in a header.
Call submitting_call(std::string path, std::string body, std::string idempotency_key);

/// Makes that call.
Answer post_once(Channel& channel, std::string path, std::string body, std::string idempotency_key);

/// The long poll behind Client::poll.
RequestState wait_for_end(Channel& channel, std::string_view id, const PollOptions& options);

}  // namespace oauth3::client
