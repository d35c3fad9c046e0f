#include "agent/runtime/engine.h"

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include "base/check.h"
#include "pipeline/pipeline.h"

namespace agent {
namespace {

constexpr std::size_t kMaxDefaultWorkers = 4;

const ConfigNode& StagesOf(const ScrapeConfig& job) {
  static const ConfigNode kNone;
  return job.pipeline_stages != nullptr ? *job.pipeline_stages : kNone;
}

// The outputs that a job feeds, by index.
std::vector<std::size_t> OutputsOf(const ScrapeConfig& job,
                                   const std::vector<std::unique_ptr<Output>>& outputs) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const bool wanted = job.outputs.empty() || std::find(job.outputs.begin(), job.outputs.end(),
                                                         outputs[i]->name()) != job.outputs.end();
    if (wanted) indices.push_back(i);
  }
  return indices;
}

}  // namespace

std::size_t WorkerCount(const Config& config) {
  if (config.limits.workers > 0) return config.limits.workers;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return std::min(cores, kMaxDefaultWorkers);
}

Engine::Engine(const Dependencies& dependencies)
    : dependencies_(dependencies),
      held_memory_(dependencies.budget.limit() / 2, &dependencies.budget),
      notified_(std::make_shared<std::vector<Worker*>>()) {}

Engine::~Engine() = default;

std::unique_ptr<Engine> Engine::Build(const Config& config,
                                      std::vector<std::unique_ptr<Output>> outputs,
                                      Problems& problems, const Dependencies& dependencies) {
  std::unique_ptr<Engine> engine(new Engine(dependencies));
  engine->outputs_ = std::move(outputs);
  const LimitsConfig& limits = config.limits;
  if (limits.readline_rate_enabled) {
    engine->limiter_ = std::make_unique<RateLimiter>(
        limits.readline_rate, static_cast<double>(limits.readline_burst), dependencies.clock);
  }
  const std::size_t workers = dependencies.observer != nullptr ? 1 : WorkerCount(config);
  for (std::size_t i = 0; i < workers; ++i) {
    // The first worker's pipelines report what is wrong; the others are built from the same text.
    if (!engine->BuildWorker(config, problems)) return nullptr;
  }
  return engine;
}

bool Engine::BuildWorker(const Config& config, Problems& problems) {
  auto worker = std::make_unique<Worker>(Worker::Dependencies{
      dependencies_.clock,
      dependencies_.logger,
      dependencies_.budget,
      limiter_.get(),
      config.limits.readline_rate_drop,
      [this](const std::shared_ptr<Source>& source) {
        dependencies_.loop.Post([this, source] { Ended(source); });
      },
  });
  Problems repeated;
  bool ok = true;
  for (const ScrapeConfig& job : config.scrape_configs) {
    PipelineDependencies dependencies{
        .label_sets = worker->label_sets(),
        .clock = dependencies_.clock,
        .logger = dependencies_.logger,
        .metrics = dependencies_.metrics,
        .keep_everything = dependencies_.observer != nullptr,
        .geo_databases = &geo_databases_,
        .shared = &stage_states_,
        .held_memory = &held_memory_,
        .observer = dependencies_.observer,
        .unwraps_docker = !job.docker_sd_configs.empty(),
    };
    for (const std::size_t output : OutputsOf(job, outputs_)) {
      const std::vector<std::string> wanted = outputs_[output]->WantedFields();
      dependencies.wanted_fields.insert(dependencies.wanted_fields.end(), wanted.begin(),
                                        wanted.end());
    }
    auto pipeline = Pipeline::Build(StagesOf(job), job.pipeline_path, job.job_name,
                                    workers_.empty() ? problems : repeated, dependencies);
    if (pipeline == nullptr) {
      ok = false;
      continue;
    }
    auto& ledger = ledgers_[job.job_name];
    if (ledger == nullptr) ledger = std::make_shared<JobLedger>(outputs_.size());
    WorkerJob built{job.job_name, std::move(pipeline), OutputsOf(job, outputs_), ledger};
    if (config.limits.max_label_values > 0) {
      built.label_guard = std::make_unique<LabelGuard>(
          LabelGuard::Options{job.job_name, config.limits.max_label_values,
                              config.limits.on_excess},
          worker->label_sets(), dependencies_.label_values.Of(job.job_name), dependencies_.logger);
    }
    worker->AddJob(std::move(built));
  }
  for (const auto& output : outputs_) {
    Output* const to = output.get();
    worker->AddEncoder(output->MakeEncoder(worker->label_sets(), [this, to](Batch batch) {
      // std::function must be copyable, a batch is not: hence the shared holder.
      auto holder = std::make_shared<Batch>(std::move(batch));
      dependencies_.loop.Post([to, holder] { to->Enqueue(std::move(*holder)); });
    }));
  }
  workers_.push_back(std::move(worker));
  return ok;
}

void Engine::Run(std::function<void(const std::shared_ptr<Source>&)> on_ended) {
  on_ended_ = std::move(on_ended);
  for (const auto& worker : workers_)
    notified_->push_back(worker.get());
  Loop& loop = dependencies_.loop;
  const std::weak_ptr<std::vector<Worker*>> workers = notified_;
  dependencies_.budget.NotifyWhenFree([&loop, workers] {
    loop.Post([workers] {
      if (const auto alive = workers.lock()) {
        for (Worker* worker : *alive)
          worker->Notify();
      }
    });
  });
  running_ = workers_.size();
  for (const auto& worker : workers_)
    worker->Start();
}

void Engine::Start(std::shared_ptr<Source> source) {
  Worker* const worker = workers_[source->lineage() % workers_.size()].get();
  worker_of_[source.get()] = worker;
  worker->AddSource(std::move(source));
}

void Engine::Wake(const std::shared_ptr<Source>& source) {
  const auto at = worker_of_.find(source.get());
  if (at != worker_of_.end()) at->second->WakeSource(source.get());
}

void Engine::Stop(const std::shared_ptr<Source>& source) {
  const auto at = worker_of_.find(source.get());
  if (at != worker_of_.end()) at->second->RemoveSource(source.get());
}

void Engine::Ended(const std::shared_ptr<Source>& source) {
  worker_of_.erase(source.get());
  if (on_ended_) on_ended_(source);
}

void Engine::StopReading(std::function<void()> done) {
  notified_->clear();
  const auto finished = [this, done = std::move(done)] {
    if (--running_ == 0) done();
  };
  for (const auto& worker : workers_) {
    worker->Finish([this, finished] { dependencies_.loop.Post(finished); });
  }
}

void Engine::Drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  // One more than there are outputs, so that it is not over before all have been asked.
  draining_ = outputs_.size() + 1;
  const auto one_less = [this] {
    if (--draining_ == 0) std::exchange(drained_, nullptr)();
  };
  for (const auto& output : outputs_)
    output->Drain(deadline, one_less);
  one_less();
}

bool Engine::outputs_idle() const {
  return std::all_of(outputs_.begin(), outputs_.end(),
                     [](const auto& output) { return output->idle(); });
}

void Engine::CollectMetrics(MetricSink& sink) const {
  for (const auto& output : outputs_) {
    output->CollectMetrics(sink);
    CollectTotals(output->name(), output->Totals(), sink);
  }
  CollectStages(sink);
  CollectLedgers(sink);
  CollectLanes(sink);
  stage_states_.CollectMetrics(sink);
  CollectLabels(sink);
  for (const auto& worker : workers_) {
    const WorkerCounters& counters = worker->counters();
    sink.Add("agent_label_sweeps_total", {}, static_cast<double>(counters.label_sweeps.value()));
    sink.Add("agent_label_sets", {}, static_cast<double>(worker->label_set_count()));
    if (const uint64_t limited = counters.rate_limited_lines.value(); limited > 0) {
      sink.Add("logentry_dropped_lines_total", {"global_rate_limiter_drop"},
               static_cast<double>(limited));
    }
  }
  sink.Add("agent_memory_budget_bytes", {}, static_cast<double>(dependencies_.budget.limit()));
  sink.Add("agent_memory_used_bytes", {}, static_cast<double>(dependencies_.budget.used()));
}

// Each worker has its own copy of every stage: what they counted adds up.
void Engine::CollectStages(MetricSink& sink) const {
  for (const auto& worker : workers_) {
    for (const WorkerJob& job : worker->jobs()) {
      const auto& stages = job.pipeline->stages();
      for (std::size_t i = 0; i < stages.size(); ++i) {
        const StageStatistics& stage = *stages[i];
        const std::size_t built_in = job.pipeline->built_in_stages();
        const std::string index = i < built_in ? std::string() : std::to_string(i - built_in);
        const auto in = static_cast<double>(stage.lines_in.value());
        const auto out = static_cast<double>(stage.lines_out.value());
        sink.Add("agent_stage_seconds_total", {job.name, stage.name, index},
                 static_cast<double>(stage.nanoseconds.value()) / 1e9);
        sink.Add("agent_stage_lines_total", {job.name, stage.name, index, "in"}, in);
        sink.Add("agent_stage_lines_total", {job.name, stage.name, index, "out"}, out);
        sink.Add("agent_stage_lines_total", {job.name, stage.name, index, "dropped"},
                 static_cast<double>(stage.lines_dropped.value()));
      }
      for (const auto& row : job.pipeline->counters().rows()) {
        const uint64_t count = row->count.value();
        if (count == 0) continue;
        sink.Add(row->metric, {job.name, row->stage, row->index, row->what},
                 static_cast<double>(count));
      }
      CollectDrops(sink, job);
    }
  }
}

void Engine::CollectDrops(MetricSink& sink, const WorkerJob& job) const {
  for (const auto& drop : job.pipeline->drops()) {
    const uint64_t lines = drop->lines.value();
    if (lines == 0) continue;
    if (drop->promtail_counts) {
      sink.Add("logentry_dropped_lines_total", {drop->reason}, static_cast<double>(lines));
    }
    // Dropped before any output: the same bytes for each of them.
    for (const std::size_t output : job.outputs) {
      sink.Add("agent_ledger_dropped_bytes_total",
               {job.name, outputs_[output]->name(), drop->reason},
               static_cast<double>(drop->bytes.value()));
    }
  }
}

void Engine::CollectLedgers(MetricSink& sink) const {
  for (const WorkerJob& job : workers_.front()->jobs()) {
    const JobLedger& ledger = *job.ledger;
    sink.Add("agent_ledger_read_bytes_total", {job.name},
             static_cast<double>(ledger.read_bytes.load()));
    for (const std::size_t i : job.outputs) {
      const std::string& output = outputs_[i]->name();
      const uint64_t dropped = ledger.dropped_bytes[i];
      sink.Add("agent_ledger_settled_bytes_total", {job.name, output},
               static_cast<double>(ledger.settled_bytes[i].load()));
      sink.Add("agent_ledger_in_flight_bytes", {job.name, output},
               static_cast<double>(ledger.InFlight(i)));
      if (dropped > 0) {
        sink.Add("agent_ledger_dropped_bytes_total", {job.name, output, "refused"},
                 static_cast<double>(dropped));
      }
    }
  }
}

void Engine::CollectLabels(MetricSink& sink) const {
  for (const WorkerJob& job : workers_.front()->jobs()) {
    const JobLabelValues* const values = dependencies_.label_values.Find(job.name);
    if (job.label_guard == nullptr || values == nullptr) continue;
    for (const LabelValuesStatus& label : values->Status()) {
      sink.Add("agent_label_values", {job.name, label.name}, static_cast<double>(label.values));
      if (label.exceeded == 0) continue;
      sink.Add("agent_label_values_exceeded_total", {job.name, label.name},
               static_cast<double>(label.exceeded));
    }
  }
}

void Engine::CollectLanes(MetricSink& sink) const {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  for (const auto& output : outputs_) {
    for (const LaneStatus& lane : output->Status()) {
      const std::string& name = output->name();
      const int64_t age = lane.oldest_ns == 0 ? 0 : now - lane.oldest_ns;
      sink.Add("agent_output_queue_batches", {name, lane.tenant},
               static_cast<double>(lane.queued_batches));
      sink.Add("agent_output_queue_bytes", {name, lane.tenant},
               static_cast<double>(lane.queued_bytes));
      sink.Add("agent_output_oldest_unsettled_seconds", {name, lane.tenant},
               static_cast<double>(age) / static_cast<double>(kNanosPerSecond));
      for (const std::string_view state :
           {"idle", "sending", "retrying", "holding", "spilling", "draining"}) {
        sink.Add("agent_output_state", {name, lane.tenant, state}, lane.state == state ? 1 : 0);
      }
    }
  }
}

}  // namespace agent
