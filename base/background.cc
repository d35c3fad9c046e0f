#include "base/background.h"

#include <memory>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

struct Job {
  uv_work_t request{};
  std::function<void()> work;
  std::function<void()> done;
};

}  // namespace

void RunInBackground(Loop& loop, std::function<void()> work, std::function<void()> done) {
  auto job = std::make_unique<Job>();
  job->work = std::move(work);
  job->done = std::move(done);
  job->request.data = job.get();
  const int queued = uv_queue_work(
      loop.uv(), &job->request,
      [](uv_work_t* request) { static_cast<Job*>(request->data)->work(); },
      [](uv_work_t* request, int /*status*/) {
        const std::unique_ptr<Job> finished(static_cast<Job*>(request->data));
        finished->done();
      });
  CHECK(queued == 0);
  (void)job.release();  // The callback above takes it back.
}

}  // namespace agent
