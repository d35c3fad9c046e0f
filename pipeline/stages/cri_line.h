// Takes a line of a container runtime's log apart:
//
//   2023-05-06T07:08:09.010203Z stdout F the text
//
// As the regular expression ^(?s)(\S+?) (stdout|stderr) (\S+?) (.*)$ does.

#pragma once

#include <optional>
#include <string_view>

namespace agent {

struct CriLine {
  std::string_view time;
  std::string_view stream;
  std::string_view flags;
  std::string_view content;
};

// nullopt: it is no such line. The parts are views of `line`.
std::optional<CriLine> ParseCriLine(std::string_view line);

}  // namespace agent
