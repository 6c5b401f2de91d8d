#pragma once

#include "base/json.h"
#include "base/utf8.h"

#include <rapidcheck.h>

#include <cmath>
#include <cstring>
#include <string>

namespace oauth3::test {

/// Valid UTF-8 of up to `most` code points from all planes, NUL and controls included.
inline std::string any_text(int most = 8) {
    std::string out;
    for (int left = *rc::gen::inRange(0, most + 1); left > 0; --left) {
        const auto point =
            *rc::gen::weightedOneOf<char32_t>({{6, rc::gen::inRange<char32_t>(0x20, 0x7F)},
                                               {2, rc::gen::inRange<char32_t>(0, 0xA0)},
                                               {1, rc::gen::inRange<char32_t>(0xA0, 0xD800)},
                                               {1, rc::gen::inRange<char32_t>(0xE000, 0x110000)}});
        base::append_utf8(out, point);
    }
    return out;
}

/// Any JSON value; numbers are finite.
inline base::Json any_json(int depth = 3) {
    switch (*rc::gen::inRange(0, depth > 0 ? 8 : 6)) {
        case 0:
            return nullptr;
        case 1:
            return *rc::gen::arbitrary<bool>();
        case 2:
            return *rc::gen::arbitrary<std::int64_t>();
        case 3:
            return *rc::gen::arbitrary<std::uint64_t>();
        case 4: {
            const auto bits = *rc::gen::arbitrary<std::uint64_t>();
            double value = 0;
            std::memcpy(&value, &bits, sizeof value);
            return std::isfinite(value) ? value : 0.5;
        }
        case 5:
            return any_text();
        case 6: {
            base::Json out = base::Json::array();
            for (int left = *rc::gen::inRange(0, 4); left > 0; --left)
                out.push_back(any_json(depth - 1));
            return out;
        }
        default: {
            base::Json out = base::Json::object();
            for (int left = *rc::gen::inRange(0, 4); left > 0; --left)
                out[any_text()] = any_json(depth - 1);
            return out;
        }
    }
}

}  // namespace oauth3::test
