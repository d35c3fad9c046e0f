"""Where the agent differs from Promtail on purpose (README, "Coming from Promtail"). Nothing else may differ.
Each name is the title of a case; a case that stands here and does not differ is a failure too."""

import re

from records import label_pairs

# Cases in `refused` with `refuse: ours`: Promtail starts with them. These functions want keys, the network or
# the environment.
REFUSED_BY_US = {
    "template: the environment",
    "template: the environment in a text",
    "template: the network",
    "template: making certificates",
    "template: making keys",
    "template: making passwords",
    "template: hashing passwords",
}


def repaired_names(labels):
    """Loki refuses a whole request for the name of one label: such a name is repaired, and counted."""
    pairs = []
    for name, value in label_pairs(labels):
        name = re.sub("[^a-zA-Z0-9_]", "_", name)
        pairs.append((f"_{name}" if name[0].isdigit() else name, value))
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(pairs)) + "}"


# What becomes of Promtail's labels.
RELABELLED = {"labels: static_labels: names that are not classic": repaired_names}
