#include "agent/http/tls.h"

#include <gnutls/gnutls.h>

#include <array>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "agent/http/server.h"
#include "base/clock.h"
#include "tests/agent/http/fake_view.h"
#include "tests/agent/http/loopback_client.h"
#include "tests/support/temp_dir.h"

#include <gnutls/x509.h>

namespace agent {
namespace {

struct Pem {
  std::string cert;
  std::string key;
};

// A fresh self-signed certificate for 127.0.0.1, which is its own authority.
Pem MakeCertificate() {
  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_crt_t cert = nullptr;
  gnutls_x509_privkey_init(&key);
  gnutls_x509_crt_init(&cert);
  REQUIRE(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                       GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
  const std::array<unsigned char, 4> loopback = {127, 0, 0, 1};
  const std::time_t now = std::time(nullptr);
  gnutls_x509_crt_set_version(cert, 3);
  gnutls_x509_crt_set_key(cert, key);
  gnutls_x509_crt_set_serial(cert, "\x01", 1);
  gnutls_x509_crt_set_activation_time(cert, now - 3600);
  gnutls_x509_crt_set_expiration_time(cert, now + 3600);
  gnutls_x509_crt_set_dn(cert, "CN=test", nullptr);
  gnutls_x509_crt_set_ca_status(cert, 1);
  gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, loopback.data(), 4,
                                       GNUTLS_FSAN_SET);
  REQUIRE(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0) == 0);
  Pem pem;
  gnutls_datum_t out{};
  gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &out);
  pem.cert.assign(reinterpret_cast<char*>(out.data), out.size);
  gnutls_free(out.data);
  gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &out);
  pem.key.assign(reinterpret_cast<char*>(out.data), out.size);
  gnutls_free(out.data);
  gnutls_x509_crt_deinit(cert);
  gnutls_x509_privkey_deinit(key);
  return pem;
}

struct Fixture {
  ClientAnswer Ask(const Pem* shown) {
    auto opened =
        HttpServer::Open(config, {.loop = loop, .logger = logger, .clock = clock, .view = view});
    REQUIRE(opened.ok());
    const std::string url = "https://127.0.0.1:" + std::to_string((*opened)->port()) + "/ready";
    return client.Ask(url, [&](CURL* curl) {
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
      if (shown == nullptr) return;
      std::ofstream(folder.path() + "/cert.pem") << shown->cert;
      std::ofstream(folder.path() + "/key.pem") << shown->key;
      curl_easy_setopt(curl, CURLOPT_SSLCERT, (folder.path() + "/cert.pem").c_str());
      curl_easy_setopt(curl, CURLOPT_SSLKEY, (folder.path() + "/key.pem").c_str());
    });
  }

  TempDir folder;
  Loop loop;
  SystemClock clock;
  Logger logger{-1, LogLevel::kInfo, LogFormat::kLogfmt};
  FakeView view;
  ServerConfig config;
  LoopbackClient client{loop};
};

TEST_CASE("tls: the server speaks HTTPS with its certificate", "[http][tls]") {
  const Pem pem = MakeCertificate();
  Fixture f;
  f.config.http_listen_port = 0;
  f.config.http_tls.cert = pem.cert;
  f.config.http_tls.key = pem.key;

  const ClientAnswer answer = f.Ask(nullptr);

  CHECK(answer.error == CURLE_OK);
  CHECK(answer.body == "Ready\n");
}

TEST_CASE("tls: client certificates are asked for and verified as configured", "[http][tls]") {
  const Pem server = MakeCertificate();
  const Pem known = MakeCertificate();
  const Pem stranger = MakeCertificate();
  struct Case {
    const char* auth;
    bool none;
    bool stranger;
  };
  const auto c = GENERATE(values<Case>({
      {"RequireAndVerifyClientCert", false, false},
      {"VerifyClientCertIfGiven", true, false},
      {"RequireAnyClientCert", false, true},
      {"RequestClientCert", true, true},
  }));
  INFO(c.auth);
  Fixture f;
  f.config.http_listen_port = 0;
  f.config.http_tls.cert = server.cert;
  f.config.http_tls.key = server.key;
  f.config.http_tls.client_auth_type = c.auth;
  f.config.http_tls.client_ca = known.cert;

  CHECK(f.Ask(&known).status == 200);
  CHECK((f.Ask(nullptr).status == 200) == c.none);
  CHECK((f.Ask(&stranger).status == 200) == c.stranger);
}

}  // namespace
}  // namespace agent
