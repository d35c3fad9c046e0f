// The keys that the readers of a configuration really ask for, by path. Items of lists have no
// number here: "clients[].url".

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config/field_observer.h"

namespace agent {

// One way in which a key was asked for; some are asked for in several.
struct ObservedKey {
  FieldKind kind = FieldKind::kNode;
  bool required = false;
  std::string default_value;
  double min = 0;
  double max = 0;
  std::vector<std::string> choices;
};

// By path and key: "clients[].backoff_config.min_period".
using ObservedKeys = std::map<std::string, std::vector<ObservedKey>>;

class KeyRecorder final : public FieldObserver {
 public:
  // What is asked for goes under `prefix`: "json" for a stage.
  explicit KeyRecorder(ObservedKeys& keys, std::string prefix = {});
  void Asked(const FieldQuery& query) override;

 private:
  ObservedKeys& keys_;
  const std::string prefix_;
};

// Of configurations; `text` may be wrong in everything.
void ObserveConfiguration(const std::string& text, ObservedKeys& keys);
// Of a stage with this body, under its name.
void ObserveStage(std::string_view name, std::string_view body, ObservedKeys& keys);
// Of a file of `agent test`, under "tests-file".
void ObserveTestFile(const std::string& text, ObservedKeys& keys);
// Of a file that file_sd_configs read, under "targets-file".
void ObserveTargetFile(const std::string& text, ObservedKeys& keys);

// All of it.
ObservedKeys ObserveEverything();

}  // namespace agent
