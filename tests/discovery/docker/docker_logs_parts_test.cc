#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "discovery/docker/docker_cursor.h"
#include "discovery/docker/docker_frames.h"

namespace agent {
namespace {

constexpr const char* kTime = "2026-11-21T16:24:21.648651119Z";
constexpr int64_t kSecond = kNanosPerSecond;

std::string Frame(char stream, const std::string& text) {
  std::string frame{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8)
    frame += static_cast<char>(text.size() >> static_cast<unsigned>(shift) & 0xffU);
  return frame + text;
}

std::vector<std::string> Entries(DockerFrames& frames, std::string_view data) {
  std::vector<std::string> got;
  frames.Add(data, [&](const DockerLogEntry& entry) {
    got.push_back((entry.err ? "err " : "out ") + std::string(entry.time) + " " +
                  std::string(entry.text));
  });
  return got;
}
using Strings = std::vector<std::string>;

TEST_CASE("docker frames: entries by stream, wherever the pieces end", "[discovery][docker]") {
  const std::string time = kTime;
  const std::string data = Frame(1, time + " one\n") + Frame(2, time + " two two\n") +
                           Frame(1, time + " \n") + Frame(1, "no time\n") + Frame(1, "");
  const Strings want = {"out " + time + " one\n", "err " + time + " two two\n",
                        "out " + time + " \n", "out  no time\n", "out  "};
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, data.size()}) {
    DockerFrames frames(/*tty=*/false);
    Strings got;
    for (std::size_t at = 0; at < data.size(); at += step) {
      for (const std::string& entry : Entries(frames, std::string_view(data).substr(at, step)))
        got.push_back(entry);
    }
    CHECK(got == want);
    CHECK_FALSE(frames.broken());
  }
}

TEST_CASE("docker frames: what is out of step ends it", "[discovery][docker]") {
  for (const std::string& data : {std::string("HTTP/1.1 500"), std::string("\1\0\0\1\0\0\0\1x", 9),
                                  std::string("\1\0\0\0\xff\xff\xff\xff", 8)}) {
    DockerFrames frames(/*tty=*/false);
    CHECK(Entries(frames, data).empty());
    CHECK(frames.broken());
    CHECK(Entries(frames, Frame(1, "later\n")).empty());
  }
}

TEST_CASE("docker frames: a terminal's lines, and the pieces of long ones", "[discovery][docker]") {
  const std::string time = kTime;
  const std::string piece(DockerFrames::kPieceBytes, 'x');
  const std::string data = time + " one\r\n" + time + " " + piece + time + " " + piece + time +
                           " end\r\n" + time + " " + piece + "y\r\n" + time + " open";
  DockerFrames frames(/*tty=*/true);
  Strings got;
  for (std::size_t at = 0; at < data.size(); at += 1000) {
    for (const std::string& entry : Entries(frames, std::string_view(data).substr(at, 1000)))
      got.push_back(entry);
  }
  const std::string out = "out " + time + " ";
  CHECK(got ==
        Strings{out + "one\r\n", out + piece, out + piece, out + "end\r\n", out + piece + "y\r\n"});
  Strings rest;
  frames.Finish([&](const DockerLogEntry& entry) { rest.emplace_back(entry.text); });
  CHECK(rest == Strings{"open"});
}

TEST_CASE("docker frames: the last piece of a terminal's line may lack its newline",
          "[discovery][docker]") {
  const std::string time = kTime;
  const std::string piece(DockerFrames::kPieceBytes, 'x');
  DockerFrames frames(/*tty=*/true);
  CHECK(Entries(frames, time + " " + piece + time + " a\rb\r").size() == 1);
  std::string lines;
  frames.Add("2026-11-21T16:24:22Z next\r\n" + time + " c\r2026-11-21T16:24:22Z d\r\n",
             [&](const DockerLogEntry& entry) { AppendAsJsonFile(entry, lines); });
  CHECK_THAT(lines, Catch::StartsWith("{\"log\":\"a\\rb\\n\",") &&
                        Catch::Contains("{\"log\":\"next\\r\\n\",") &&
                        Catch::Contains("{\"log\":\"c\\r2026-11-21T16:24:22Z d\\r\\n\","));
}

TEST_CASE("docker frames: an entry as the json-file has it", "[discovery][docker]") {
  std::string out;
  AppendAsJsonFile({true, "2026-01-01T00:00:00Z", "a\t\"b\"\\\r\n", false}, out);
  CHECK(out ==
        "{\"log\":\"a\\u0009\\\"b\\\"\\\\\\r\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-01T00:"
        "00:00Z\"}\n");
}

TEST_CASE("docker cursor: written and read", "[discovery][docker]") {
  DockerCursor cursor;
  CHECK(cursor.SinceNanos() == 0);
  cursor.Pass(false, 5 * kSecond + 7);
  cursor.Pass(false, 5 * kSecond + 7);
  cursor.Pass(true, 4 * kSecond);
  CHECK(cursor.Text() == "5.000000007+2 4.000000000+1");
  CHECK(DockerCursor::Parse(cursor.Text()) == cursor);
  CHECK(cursor.Seconds() == 5);
  CHECK(cursor.SinceNanos() == 4 * kSecond);
  cursor.Pass(false, 100 * kSecond);
  CHECK(cursor.SinceNanos() == 90 * kSecond);

  for (const char* bad :
       {"", "x", "-1", "1.5", "5.000000007+2", "5.0+2 4.0+1 ", "1e9", "99999999999"})
    CHECK(DockerCursor::Parse(bad) == DockerCursor());
}

TEST_CASE("docker cursor: Promtail's second is read again", "[discovery][docker]") {
  const DockerCursor cursor = DockerCursor::Parse("1795278261");
  DockerSkip skip(cursor);
  CHECK(skip.IsPassed(false, 1795278260 * kSecond));
  CHECK_FALSE(skip.IsPassed(false, 1795278261 * kSecond));
  CHECK_FALSE(skip.IsPassed(true, 1795278261 * kSecond));
}

TEST_CASE("docker cursor: what has passed is left out, stream by stream", "[discovery][docker]") {
  DockerCursor cursor;
  cursor.Pass(false, 10);
  cursor.Pass(false, 10);
  cursor.Pass(true, 20);
  DockerSkip skip(cursor);
  CHECK(skip.IsPassed(false, 9));
  CHECK(skip.IsPassed(false, 10));
  CHECK(skip.IsPassed(false, 10));
  CHECK_FALSE(skip.IsPassed(false, 10));  // The third of that time.
  CHECK_FALSE(skip.IsPassed(false, 15));
  CHECK(skip.IsPassed(true, 19));
  CHECK(skip.IsPassed(true, 20));
  CHECK_FALSE(skip.IsPassed(true, 20));
}

}  // namespace
}  // namespace agent
