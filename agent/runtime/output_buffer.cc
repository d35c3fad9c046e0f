#include "agent/runtime/output_buffer.h"

namespace agent {

std::unique_ptr<Output> WrapWithBuffer(std::unique_ptr<Output> output,
                                       const BufferConfig& /*config*/, bool /*required*/,
                                       const BufferPlace& /*place*/) {
  return output;
}

}  // namespace agent
