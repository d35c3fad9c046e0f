// Anything may happen to a file in any order, and the agent may die at any moment: each line comes
// at least once, and again only when it had not settled before a crash.

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "agent/tail/tailer.h"
#include "base/random.h"
#include "tests/agent/tail/tail_bed.h"

namespace agent {
namespace {

// How the files are rotated: renamed any number of times between two looks; or copied and
// truncated, at most once between two; or both, now so, now so.
enum class Rotation : uint8_t { kRename, kCopy, kBoth };

class Story {
 public:
  Story(uint64_t seed, const std::string& glob, Rotation rotation, bool crashes)
      : random_(seed), rotation_(rotation), crashes_(crashes) {
    bed_.SetGlob(glob);
    bed_.SetBlockBytes(512);
    bed_.Restart();
  }

  void Run(int steps) {
    // What was rotated away before the agent came is not its business.
    Write();
    bed_.ScanAndRead();
    unsettled_from_ = bed_.lines().size();
    for (int i = 0; i < steps; ++i)
      Step();
    Note("end");
    for (int i = 0; i < 6; ++i) {
      bed_.ScanAndRead();
      bed_.host().SettleAll();
      bed_.Pass(std::chrono::seconds(31));
    }
    bed_.ScanAndRead();
    Judge();
  }

 private:
  void Note(const std::string& what) { notes_ += what + "; "; }
  uint64_t Pick(uint64_t n) { return random_.Next() % n; }

  void Step() {
    switch (Pick(13)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Write();
      case 4:
        Note("scan");
        return bed_.Scan();
      case 5:
        Note("read some");
        bed_.host().Read(1 + Pick(3));
        bed_.EndSources();
        return bed_.tailer().RunDirty();
      case 6:
      case 7:
        Note("read");
        return bed_.Read();
      case 8:
      case 9:
        Rotate();
        if (rotation_ != Rotation::kRename) bed_.ScanAndRead();
        return;
      case 10:
        Note("settle");
        bed_.host().SettleAll();
        bed_.tailer().RunDirty();
        unsettled_from_ = bed_.lines().size();
        return;
      case 11:
        Note("pass");
        return bed_.Pass(std::chrono::seconds(1 + Pick(40)));
      default:
        return Crash();
    }
  }

  void Write() {
    std::string text;
    const uint64_t lines = 1 + Pick(5);
    for (uint64_t i = 0; i < lines; ++i) {
      text +=
          std::to_string(next_line_++) + " " + std::string(Pick(40) == 0 ? 3000 : Pick(60), 'x');
      text += '\n';
    }
    Note("write -" + std::to_string(next_line_));
    bed_.Append("app.log", text);
  }

  void Shift() {
    for (int n = 60; n > 0; --n) {
      const std::string from = "app.log." + std::to_string(n);
      if (std::filesystem::exists(bed_.Path(from))) {
        bed_.Rename(from, "app.log." + std::to_string(n + 1));
      }
    }
  }

  void Rotate() {
    if (!std::filesystem::exists(bed_.Path("app.log"))) return;
    const bool copy = rotation_ == Rotation::kBoth ? Pick(2) == 0 : rotation_ == Rotation::kCopy;
    if (copy) {
      CopyTruncate();
    } else {
      Rename();
    }
  }

  void Rename() {
    Note("rename");
    Shift();
    bed_.Rename("app.log", "app.log.1");
    if (Pick(2) == 0) bed_.Append("app.log", "");
  }

  void CopyTruncate() {
    Note("copytruncate");
    Shift();
    bed_.Copy("app.log", "app.log.1");
    if (running_ && Pick(3) == 0) bed_.ScanAndRead();
    bed_.Replace("app.log", "");
  }

  void Crash() {
    if (!crashes_) return;
    Note("crash");
    const std::vector<ReadLine> lines = bed_.lines();
    for (std::size_t i = unsettled_from_; i < lines.size(); ++i)
      may_repeat_.insert(lines[i].line);
    bed_.Crash();
    running_ = false;
    if (Pick(2) == 0) Rotate();
    if (Pick(2) == 0) Write();
    bed_.Begin();
    running_ = true;
    if (rotation_ != Rotation::kRename) bed_.ScanAndRead();
    unsettled_from_ = bed_.lines().size();
    bed_.host().hold = true;
  }

  void Judge() {
    std::map<uint64_t, int> times;
    std::string repeats;
    for (const ReadLine& line : bed_.lines()) {
      const int n = ++times[std::strtoull(line.line.c_str(), nullptr, 10)];
      if (n > 1 && !may_repeat_.contains(line.line))
        repeats += std::to_string(std::strtoull(line.line.c_str(), nullptr, 10)) + " ";
    }
    std::string lost;
    for (uint64_t line = 1; line < next_line_; ++line) {
      if (!times.contains(line)) lost += std::to_string(line) + " ";
    }
    INFO(notes_);
    INFO("lost: " << lost << ", repeated: " << repeats);
    REQUIRE((lost.empty() && repeats.empty()));
  }

  TailBed bed_{{}, TempDir::InMemory()};
  Random random_;
  const Rotation rotation_;
  const bool crashes_;
  bool running_ = true;
  uint64_t next_line_ = 1;
  std::size_t unsettled_from_ = 0;
  std::set<std::string> may_repeat_;
  std::string notes_;
};

TEST_CASE("tailer: whatever happens to the file, each line comes once", "[tail][property]") {
  const std::string glob = GENERATE("app.log", "app.log*");
  const auto rotation = GENERATE(Rotation::kRename, Rotation::kCopy, Rotation::kBoth);
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed << " glob " << glob << " rotation " << static_cast<int>(rotation));
    Story(seed, glob, rotation, /*crashes=*/false).Run(60);
  }
}

TEST_CASE("tailer: through crashes each line comes, and again only when it had not settled",
          "[tail][property]") {
  const std::string glob = GENERATE("app.log", "app.log*");
  const auto rotation = GENERATE(Rotation::kRename, Rotation::kCopy, Rotation::kBoth);
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed << " glob " << glob << " rotation " << static_cast<int>(rotation));
    Story(seed, glob, rotation, /*crashes=*/true).Run(60);
  }
}

}  // namespace
}  // namespace agent
