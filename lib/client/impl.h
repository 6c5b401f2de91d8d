#pragma once

#include "client/channel.h"

namespace oauth3 {

struct Client::Impl {
    explicit Impl(Options options) : channel(std::move(options)) {}

    client::Channel channel;
};

}  // namespace oauth3
