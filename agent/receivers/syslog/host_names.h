// The names of senders' addresses, asked for off the loop and remembered.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"

namespace agent {

// As Promtail has them: what `hosts` (the text of /etc/hosts) says, else what the name service
// does; joined by commas, those with a dot in them with one at their end. Empty: none. May take
// seconds. Any thread.
std::string LookUpHostNames(const std::string& hosts, const std::string& ip_address);
// With the system's /etc/hosts.
std::string LookUpHostNames(const std::string& ip_address);

// Loop thread.
class HostNames {
 public:
  // Called on another thread; may block.
  using Lookup = std::function<std::string(const std::string& ip_address)>;
  using Answer = std::function<void(const std::string& names)>;

  HostNames(Loop& loop, const Clock& clock, Lookup lookup);
  HostNames(const HostNames&) = delete;
  HostNames& operator=(const HostNames&) = delete;
  // Nobody is answered any more.
  ~HostNames();

  // Answers at once what is known, else later; with nothing when it takes too long. What is known
  // for long is asked for anew meanwhile.
  void Ask(const std::string& ip_address, Answer answer);
  // Null: not known yet.
  [[nodiscard]] const std::string* Find(const std::string& ip_address);

 private:
  struct Known {
    std::string names;
    int64_t since_ns = 0;
  };
  struct Question {
    int64_t since_ns = 0;
    std::vector<Answer> answers;
  };
  // Outlives the lookups that are under way.
  struct Owner {
    HostNames* names;
  };

  // False: too many are asked for already.
  bool Enqueue(const std::string& ip_address);
  void LookUpNext();
  void Learn(const std::string& ip_address, const std::string& names);
  void GiveUpOnOld();

  Loop& loop_;
  const Clock& clock_;
  const Lookup lookup_;
  const std::shared_ptr<Owner> owner_;
  std::unordered_map<std::string, Known> known_;
  std::unordered_map<std::string, Question> questions_;
  std::deque<std::string> waiting_;  // Of questions_: not under way yet.
  std::size_t under_way_ = 0;
  Timer patience_;
};

}  // namespace agent
