// What the doctor has found: plain data, written as text or JSON elsewhere.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace agent::doctor {

enum class Mark : uint8_t {
  kOk,
  kNote,     // Worth knowing; nothing has to be done.
  kWarning,  // Works, and will hurt.
  kFailure,  // Something does not work.
};

// "ok", "note", "warning", "failure".
std::string_view MarkName(Mark mark);

struct Finding {
  Mark mark = Mark::kOk;
  std::string group;  // "Files", "Output loki", …: as it stands above the findings.
  std::string check;  // For machines, and the same for ever: "files.permission".
  std::string text;   // One line.
  std::string why;    // What it costs; of warnings and failures.
  std::string fix;    // The command, or the line of the configuration, that helps.
};

// What a warning or a failure says beside its text.
struct Advice {
  std::string why;
  std::string fix;
};

// Where checks put what they find. Thread-safe: a check that hangs leaves what it has found.
class Findings {
 public:
  void Add(Finding finding) {
    const MutexLock lock(mutex_);
    findings_.push_back(std::move(finding));
  }
  [[nodiscard]] std::vector<Finding> all() const {
    const MutexLock lock(mutex_);
    return findings_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<Finding> findings_ GUARDED_BY(mutex_);
};

// Those of one group. Copied freely; the findings outlive it.
class Group {
 public:
  Group(Findings& findings, std::string name) : findings_(&findings), name_(std::move(name)) {}

  void Ok(std::string check, std::string text) const {
    Put(Mark::kOk, std::move(check), std::move(text), {});
  }
  void Note(std::string check, std::string text, Advice advice = {}) const {
    Put(Mark::kNote, std::move(check), std::move(text), std::move(advice));
  }
  void Warning(std::string check, std::string text, Advice advice) const {
    Put(Mark::kWarning, std::move(check), std::move(text), std::move(advice));
  }
  void Failure(std::string check, std::string text, Advice advice) const {
    Put(Mark::kFailure, std::move(check), std::move(text), std::move(advice));
  }
  void Put(Mark mark, std::string check, std::string text, Advice advice) const {
    findings_->Add({mark, name_, std::move(check), std::move(text), std::move(advice.why),
                    std::move(advice.fix)});
  }

 private:
  Findings* findings_;
  std::string name_;
};

}  // namespace agent::doctor
