#include "discovery/docker/docker_frames.h"

#include <array>
#include <cstdio>

namespace agent {
namespace {

constexpr std::size_t kHeaderBytes = 8;
// "2006-01-02T15:04:05.999999999Z" and more than any offset takes.
constexpr std::size_t kMaxTimeBytes = 40;

bool LooksLikeTime(std::string_view text) {
  return text.size() >= 20 && text[4] == '-' && text[10] == 'T' && text[13] == ':';
}

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped.data();
    } else {
      out += c;
    }
  }
}

}  // namespace

DockerLogEntry DockerFrames::Split(bool err, std::string_view text) {
  const std::size_t space = text.substr(0, kMaxTimeBytes).find(' ');
  if (space == std::string_view::npos || !LooksLikeTime(text.substr(0, space)))
    return {err, {}, text, false};
  return {err, text.substr(0, space), text.substr(space + 1), false};
}

std::size_t DockerFrames::TakeFrame(std::size_t from, DockerLogEntry& entry) {
  std::string_view have = rest_;
  have.remove_prefix(from);
  if (have.size() < kHeaderBytes) return 0;
  const auto byte = [&have](std::size_t i) {
    return std::size_t{static_cast<unsigned char>(have[i])};
  };
  const std::size_t length = byte(4) << 24U | byte(5) << 16U | byte(6) << 8U | byte(7);
  if (byte(0) > 3 || byte(1) + byte(2) + byte(3) > 0 || length > kMaxFrameBytes) {
    broken_ = true;
    return 0;
  }
  if (have.size() < kHeaderBytes + length) return 0;
  entry = Split(byte(0) == 2, have.substr(kHeaderBytes, length));
  return kHeaderBytes + length;
}

std::size_t DockerFrames::EndOfLastPiece(std::string_view text) {
  for (std::size_t at = text.find('\r'); at != std::string_view::npos;
       at = text.find('\r', at + 1)) {
    const std::string_view next = text.substr(at + 1, kMaxTimeBytes);
    const std::size_t space = next.find(' ');
    if (space != std::string_view::npos && LooksLikeTime(next.substr(0, space))) return at;
  }
  return std::string_view::npos;
}

std::size_t DockerFrames::TakeText(std::size_t from, DockerLogEntry& entry) {
  std::string_view have = rest_;
  have.remove_prefix(from);
  const std::size_t newline = have.find('\n');
  const bool whole = newline != std::string_view::npos;
  entry = Split(false, have.substr(0, whole ? newline + 1 : have.size()));
  const auto before_text = static_cast<std::size_t>(entry.text.data() - have.data());
  // Pieces stand right behind one another, each with the same time before it.
  std::string again(entry.time);
  again += ' ';
  const std::size_t piece_end = before_text + kPieceBytes;
  if (!entry.time.empty() && have.size() >= piece_end + again.size() &&
      entry.text.size() > kPieceBytes && have.substr(piece_end, again.size()) == again) {
    entry.text = entry.text.substr(0, kPieceBytes);
    continues_ = true;
    return piece_end;
  }
  const std::size_t cut = continues_ ? EndOfLastPiece(entry.text) : std::string_view::npos;
  if (cut != std::string_view::npos) {
    entry.text = entry.text.substr(0, cut);
    entry.ends_line = true;
    continues_ = false;
    return before_text + cut + 1;
  }
  if (whole) {
    continues_ = false;
    return newline + 1;
  }
  if (have.size() < kMaxFrameBytes) return 0;
  return have.size();  // It never ends: it goes on as pieces.
}

void AppendAsJsonFile(const DockerLogEntry& entry, std::string& out) {
  out += R"({"log":")";
  AppendEscaped(entry.text, out);
  if (entry.ends_line) out += "\\n";
  out += entry.err ? R"(","stream":"stderr","time":")" : R"(","stream":"stdout","time":")";
  AppendEscaped(entry.time, out);
  out += "\"}\n";
}

}  // namespace agent
