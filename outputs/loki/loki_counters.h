// What a Loki output counts, by tenant: on the workers, where entries are encoded, and on the loop,
// where they are sent. Read when somebody scrapes.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace agent {

enum class LossReason : uint8_t {
  kIngesterError,
  kRateLimited,
  kStreamLimited,
  kLineTooLong,
  kNoLabels,      // Loki refuses `{}`.
  kLabelName,     // A name that Loki would refuse the whole request for; only mutated.
  kMetadataName,  // Likewise.
};
constexpr std::size_t kLossReasons = 7;
// Promtail's reasons come first; they are shown from the start, the others once they are not 0.
constexpr std::size_t kPromtailLossReasons = 4;
// As the label `reason` spells it.
std::string_view LossReasonName(LossReason reason);

// Thread-safe, by relaxed atomics: none of it is counted per line but what is lost.
struct TenantCounters {
  using Count = std::atomic<uint64_t>;
  struct Loss {
    Count entries{0};
    Count bytes{0};
  };

  std::array<Loss, kLossReasons> dropped;
  std::array<Loss, kLossReasons> mutated;
  std::array<Count, kLossReasons> dead_lettered{};  // Entries.
  Count batch_retries{0};
  Count retried_entries{0};  // Sent again, each time.

  void Drop(LossReason reason, uint64_t entries, uint64_t bytes) {
    Raise(dropped[static_cast<std::size_t>(reason)], entries, bytes);
  }
  void Mutate(LossReason reason, uint64_t entries, uint64_t bytes) {
    Raise(mutated[static_cast<std::size_t>(reason)], entries, bytes);
  }

 private:
  static void Raise(Loss& loss, uint64_t entries, uint64_t bytes) {
    loss.entries.fetch_add(entries, std::memory_order_relaxed);
    loss.bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
};

// Thread-safe. Shared by an output and its encoders, which may outlive one another.
class LokiCounters {
 public:
  // Made at the first call. Stays where it is as long as this object. Past kMaxTenants, the further
  // ones share what is counted under kOtherTenants.
  TenantCounters& ForTenant(const std::string& tenant);
  void ForEachTenant(
      const std::function<void(const std::string&, const TenantCounters&)>& visit) const;

  void AddEncodedBytes(uint64_t bytes) {
    encoded_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t encoded_bytes() const {
    return encoded_bytes_.load(std::memory_order_relaxed);
  }

  static constexpr std::size_t kMaxTenants = 1000;
  static constexpr const char* kOtherTenants = "(others)";

 private:
  std::atomic<uint64_t> encoded_bytes_{0};
  mutable Mutex mutex_;
  std::map<std::string, TenantCounters, std::less<>> tenants_ GUARDED_BY(mutex_);
};

}  // namespace agent
