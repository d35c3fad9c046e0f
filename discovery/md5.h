// MD5, for the one thing that it is still good for: giving a target the same number as every other
// program that relabels with hashmod.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace agent {

std::array<uint8_t, 16> Md5(std::string_view text);

}  // namespace agent
