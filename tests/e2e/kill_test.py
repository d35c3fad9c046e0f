#!/usr/bin/env python3
"""kill -9 at random moments, while lines are written and the file is rotated: no number is lost, and
what comes twice is at most what was in flight at the kill.

AGENT_KILL_CYCLES: how many kills (default 10)."""

import os
import random

import harness
from harness import base_config, file_job, wait_until
from sink import Answer
from writer import RotatingWriter

CYCLES = int(os.environ.get("AGENT_KILL_CYCLES", "500" if harness.FULL else "10"))


class KillTest(harness.TestCase):
    def run_cycles(self, pattern, seed):
        rng = random.Random(seed)
        logs = self.dir / "logs"
        logs.mkdir()
        writer = RotatingWriter(logs / "app.log")
        sink = self.sink()
        # Small batches, so that every kill finds some written, some on their way and some to come.
        config = base_config(self.dir, sink.url, [file_job(logs / pattern)])
        config["clients"][0].update(batchwait="10ms", batchsize=16384)
        repeats_allowed = 0

        # What is rotated before any agent has looked once, nobody can know to have been there.
        writer.write(1)
        agent = self.start(config)
        self.wait_complete(agent, sink, writer)
        agent.stop()

        for cycle in range(CYCLES):
            # A different slowness each time moves the kill to different moments of a request.
            pause = rng.choice([0, 0.001, 0.02])
            sink.answer(lambda index, push, pause=pause: harness.wait_pause(pause) or Answer())
            agent = self.start(config)
            before = sink.request_count()
            for _ in range(rng.randrange(1, 6)):
                writer.write(rng.randrange(1, 400))
                if rng.random() < 0.5:
                    writer.rotate()
            if rng.random() < 0.8:  # Otherwise at any moment of its start.
                wait_until("something is sent", lambda: sink.request_count() > before)
            agent.runs_for(rng.random() * 0.15)
            agent.kill()
            self.agents.clear()
            repeats_allowed += self.in_flight(sink, before)

        agent = self.start(config)

        agent.wait_ready()
        tally = self.wait_complete(agent, sink, writer)
        self.assertEqual(agent.stop()[0], 0)
        print(
            f"{CYCLES} kills, {writer.next} lines, {writer.rotations} rotations: 0 lost, {tally.repeats()} repeated"
            f" (in flight at the kills: {repeats_allowed})"
        )
        self.assertLessEqual(tally.repeats(), repeats_allowed)

    @staticmethod
    def in_flight(sink, before):
        """One request is on its way at a time: what the agent cannot know to be taken is in the last one,
        even when the answer to it had left the sink already."""
        with sink.lock:
            return sum(len(push.entries) for push in sink.pushes[before:][-1:])

    def test_rotated_names_outside_the_glob(self):
        self.run_cycles("app.log", seed=1)

    def test_rotated_names_inside_the_glob(self):
        self.run_cycles("app.log*", seed=2)


if __name__ == "__main__":
    harness.main()
