#include "discovery/kubernetes/pod_folders.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

void Touch(const std::string& path) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << "";
}

}  // namespace

TEST_CASE("pod folders: the name tells namespace, pod and uid", "[kubernetes]") {
  const auto folder = ParsePodFolder("kube-system_etcd-node-1.local_0123abcd");
  REQUIRE(folder);
  CHECK(folder->ns == "kube-system");
  CHECK(folder->pod == "etcd-node-1.local");
  CHECK(folder->uid == "0123abcd");
  CHECK(PodFolderName(folder->ns, folder->pod, folder->uid) ==
        "kube-system_etcd-node-1.local_0123abcd");
}

TEST_CASE("pod folders: names that the kubelet does not give", "[kubernetes]") {
  const std::string long_name = "ns_" + std::string(300, 'a') + "_1";
  for (const std::string& name :
       {std::string(), std::string("a"), std::string("a_b"), std::string("a__1"),
        std::string("_b_1"), std::string("a_b_"), std::string("a_.._1"), std::string("a_*_1"),
        std::string("a_b\n_1"), std::string("a_\xff_1"), std::string("A_b_1"),
        std::string("a_b_c_d"), std::string("a_b_{x,y}"), std::string("a_b_."), long_name}) {
    INFO(name);
    CHECK(!ParsePodFolder(name));
  }
}

TEST_CASE("pod folders: what is there is found, and links are not followed", "[kubernetes]") {
  const TempDir dir;
  const std::string root = dir.path() + "/pods";
  Touch(root + "/shop_web-1_u1/main/0.log");
  Touch(root + "/shop_web-1_u1/main/1.log");
  Touch(root + "/shop_web-1_u1/main/0.log.20260504-091203");
  Touch(root + "/shop_web-1_u1/main/x.log");
  Touch(root + "/shop_web-1_u1/side/0.log");
  Touch(root + "/shop_web-1_u1/no folder");
  Touch(root + "/shop_web-1_u1/New\nLine/0.log");
  Touch(root + "/shop_known_u2/main/0.log");
  Touch(root + "/a file");
  Touch(dir.path() + "/elsewhere/main/0.log");
  std::filesystem::create_symlink(dir.path() + "/elsewhere", root + "/shop_link_u3");
  std::filesystem::create_symlink(dir.path() + "/elsewhere/main", root + "/shop_known_u2/link");

  const PodFolderScan scan = ScanPodFolders(root, {"shop_known_u2"});

  CHECK(scan.error.empty());
  REQUIRE(scan.folders.size() == 2);
  const PodFolder& web = scan.folders.at("shop_web-1_u1");
  CHECK(web.containers == std::vector<std::string>{"main", "side"});
  CHECK(web.files == std::vector<std::string>{"main/0.log", "main/1.log", "side/0.log"});
  CHECK(scan.folders.at("shop_known_u2").containers == std::vector<std::string>{"main"});
  CHECK(scan.folders.at("shop_known_u2").files.empty());
  CHECK(scan.ignored == 5);
}

TEST_CASE("pod folders: a root that cannot be read says why", "[kubernetes]") {
  CHECK_THAT(ScanPodFolders("/nowhere/pods", {}).error, Catch::Contains("/nowhere/pods"));
}

}  // namespace agent
