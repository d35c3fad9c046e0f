#include "tests/agent/doctor/test_certificate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include <cstdio>
#include <memory>

#include "base/check.h"
#include "base/net/openssl.h"

#include <openssl/x509v3.h>

namespace agent::doctor {
namespace {

constexpr long kDaySeconds = 86'400;

struct CloseFile {
  void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, openssl::Freed<X509_EXTENSION_free>>;

}  // namespace

TestCertificate MakeCertificate(const std::string& folder, const std::string& name_for,
                                int from_days, int to_days) {
  const openssl::KeyPtr key(EVP_EC_gen("P-256"));
  const openssl::CertificatePtr made(X509_new());
  X509* const certificate = made.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from_days * kDaySeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), to_days * kDaySeconds);
  X509_set_pubkey(certificate, key.get());
  const std::string name = "test";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.data()),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  const ExtensionPtr names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name_for.c_str()));
  X509_add_ext(certificate, names.get(), -1);
  AGENT_CHECK(X509_sign(certificate, key.get(), EVP_sha256()) > 0);

  TestCertificate paths{folder + "/test.crt", folder + "/test.key"};
  const FilePtr certificate_file(std::fopen(paths.certificate.c_str(), "w"));
  const FilePtr key_file(std::fopen(paths.key.c_str(), "w"));
  AGENT_CHECK(PEM_write_X509(certificate_file.get(), certificate) == 1);
  AGENT_CHECK(
      PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return paths;
}

}  // namespace agent::doctor
