#include "agent/receivers/syslog/host_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

#include "base/background.h"

namespace agent {
namespace {

// Libuv's threads have other work too.
constexpr std::size_t kMaxUnderWay = 2;
constexpr std::size_t kMaxKnown = 4096;
constexpr int64_t kFreshNanos = 300 * kNanosPerSecond;
constexpr int64_t kPatienceNanos = 5 * kNanosPerSecond;
constexpr std::chrono::milliseconds kPatienceLook{500};

struct Address {
  int family = AF_UNSPEC;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  socklen_t size = 0;

  bool operator==(const Address&) const = default;
};

std::optional<Address> ParseAddress(const std::string& text) {
  Address address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET;
    address.size = sizeof(in_addr);
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  address.family = AF_INET6;
  address.size = sizeof(in6_addr);
  return address;
}

void AppendName(const std::string& name, std::string& names) {
  if (!names.empty()) names += ',';
  names += name;
  if (name.find('.') != std::string::npos && name.back() != '.') names += '.';
}

std::string FindInHosts(const std::string& hosts, const Address& wanted) {
  std::string names;
  std::istringstream lines(hosts);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word) || ParseAddress(word) != wanted) continue;
    while (words >> word)
      AppendName(word, names);
  }
  return names;
}

std::string AskNameService(const Address& address) {
  hostent entry{};
  hostent* found = nullptr;
  int error = 0;
  std::array<char, 8192> buffer{};
  if (gethostbyaddr_r(address.bytes.data(), address.size, address.family, &entry, buffer.data(),
                      buffer.size(), &found, &error) != 0 ||
      found == nullptr) {
    return "";
  }
  std::string names;
  if (found->h_name != nullptr && *found->h_name != '\0') AppendName(found->h_name, names);
  for (char** alias = found->h_aliases; alias != nullptr && *alias != nullptr; ++alias)
    AppendName(*alias, names);
  return names;
}

}  // namespace

std::string LookUpHostNames(const std::string& hosts, const std::string& ip_address) {
  const auto address = ParseAddress(ip_address);
  if (!address) return "";
  const std::string names = FindInHosts(hosts, *address);
  return names.empty() ? AskNameService(*address) : names;
}

std::string LookUpHostNames(const std::string& ip_address) {
  std::ifstream file("/etc/hosts");
  return LookUpHostNames(
      std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()),
      ip_address);
}

HostNames::HostNames(Loop& loop, const Clock& clock, Lookup lookup)
    : loop_(loop),
      clock_(clock),
      lookup_(std::move(lookup)),
      owner_(std::make_shared<Owner>(Owner{this})),
      patience_(loop) {}

HostNames::~HostNames() {
  owner_->names = nullptr;
}

const std::string* HostNames::Find(const std::string& ip_address) {
  const auto found = known_.find(ip_address);
  if (found == known_.end()) return nullptr;
  if (clock_.MonotonicNanos() - found->second.since_ns > kFreshNanos) Enqueue(ip_address);
  return &found->second.names;
}

void HostNames::Ask(const std::string& ip_address, Answer answer) {
  if (const std::string* const names = Find(ip_address)) return answer(*names);
  if (!Enqueue(ip_address)) return answer("");
  questions_[ip_address].answers.push_back(std::move(answer));
  if (!patience_.active()) patience_.StartRepeating(kPatienceLook, [this] { GiveUpOnOld(); });
}

bool HostNames::Enqueue(const std::string& ip_address) {
  if (questions_.contains(ip_address)) return true;
  if (questions_.size() >= kMaxKnown) return false;
  questions_[ip_address].since_ns = clock_.MonotonicNanos();
  waiting_.push_back(ip_address);
  LookUpNext();
  return true;
}

void HostNames::LookUpNext() {
  while (under_way_ < kMaxUnderWay && !waiting_.empty()) {
    ++under_way_;
    struct Job {
      std::string ip_address;
      std::string names;
    };
    const auto job = std::make_shared<Job>(Job{std::move(waiting_.front()), ""});
    waiting_.pop_front();
    RunInBackground(
        loop_, [job, lookup = lookup_] { job->names = lookup(job->ip_address); },
        [job, owner = owner_] {
          if (owner->names == nullptr) return;
          --owner->names->under_way_;
          owner->names->Learn(job->ip_address, job->names);
          owner->names->LookUpNext();
        });
  }
}

void HostNames::Learn(const std::string& ip_address, const std::string& names) {
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[ip_address] = {names, clock_.MonotonicNanos()};
  const auto question = questions_.find(ip_address);
  if (question == questions_.end()) return;
  const std::vector<Answer> answers = std::move(question->second.answers);
  questions_.erase(question);
  if (questions_.empty()) patience_.Stop();
  for (const Answer& answer : answers)
    answer(names);
}

void HostNames::GiveUpOnOld() {
  std::vector<Answer> answers;
  for (auto& [ip_address, question] : questions_) {
    if (clock_.MonotonicNanos() - question.since_ns < kPatienceNanos) continue;
    for (Answer& answer : std::exchange(question.answers, {}))
      answers.push_back(std::move(answer));
  }
  for (const Answer& answer : answers)
    answer("");
}

}  // namespace agent
