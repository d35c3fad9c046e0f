#include "pipeline/redact/keyed_hash.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "base/check.h"
#include "base/unique_fd.h"

namespace agent::redact {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 4096;
constexpr std::string_view kSpace = " \t\r\n\v\f";

template <auto free>
struct Freed {
  template <typename T>
  void operator()(T* value) const {
    free(value);
  }
};

}  // namespace

struct KeyedHash::State {
  std::unique_ptr<EVP_MAC, Freed<EVP_MAC_free>> mac;
  std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>> context;
};

KeyedHash::KeyedHash(std::string_view key) : state_(std::make_unique<State>()) {
  state_->mac.reset(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  CHECK(state_->mac != nullptr);
  state_->context.reset(EVP_MAC_CTX_new(state_->mac.get()));
  CHECK(state_->context != nullptr);
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(key.data());
  CHECK(EVP_MAC_init(state_->context.get(), bytes, key.size(), parameters.data()) == 1);
}

KeyedHash::~KeyedHash() = default;

void KeyedHash::AppendHex(std::string_view value, std::string& out) {
  EVP_MAC_CTX* const context = state_->context.get();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t size = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(value.data());
  // Without a key: that of the beginning again.
  CHECK(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
  CHECK(EVP_MAC_update(context, bytes, value.size()) == 1);
  CHECK(EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < kHexDigits / 2; ++i) {
    out += kDigits[digest[i] >> 4U];
    out += kDigits[digest[i] & 0x0FU];
  }
}

Result<KeyFile> ReadKeyFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoError(errno, "open " + path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoError(errno, "stat " + path);
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::kInvalid, path + ": not a file"};
  if ((info.st_mode & S_IWOTH) != 0) {
    return Error{ErrorCode::kInvalid, path + ": everybody may write to it"};
  }
  std::array<char, kMaxKeyFileBytes + 1> content{};
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t count = ::read(fd.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, "read " + path);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > kMaxKeyFileBytes) return Error{ErrorCode::kInvalid, path + ": larger than 4 KiB"};
  const std::string_view text(content.data(), size);
  const std::size_t begin = text.find_first_not_of(kSpace);
  KeyFile file;
  file.others_may_read = (info.st_mode & S_IROTH) != 0;
  if (begin != std::string_view::npos) {
    file.key = text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
  }
  return file;
}

}  // namespace agent::redact
