"""walks: random walks on a graph, as a text to train on."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.options import (
    encoding_option,
    errors_option,
    json_option,
    output_option,
    overwrite_option,
    quiet_option,
    seed_option,
    workers_option,
)
from embedkit.cli.output import print_json
from embedkit.cli.parameters import INPUT, Number, OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs, refuse_inputs, refuse_two_streams
from embedkit.cli.progress import Display
from embedkit.corpus.walks.options import SEPARATORS
from embedkit.errors import counted
from embedkit.system.files import is_standard_output

if TYPE_CHECKING:
    from embedkit.corpus.walks import Graph, WalkConfig
    from embedkit.corpus.walks.walks import WalkCounts

__all__ = ["walks"]


@click.command()
@click.argument("edges", type=INPUT, metavar="EDGES")
@output_option(
    "File to write; .gz, .bz2, .xz and .zst compress; - is standard output.",
    OutputPath(stream=True),
    default="walks.txt",
)
@click.option(
    "--walks", type=WholeNumber(1), default=10, show_default=True, help="Walks from each node."
)
@click.option(
    "--length", type=WholeNumber(1), default=40, show_default=True, help="Nodes per walk."
)
@click.option(
    "--p",
    type=Number(1e-6, 1e6),
    default=1,
    show_default=True,
    help="node2vec's return parameter; above 1, walks rarely step back.",
)
@click.option(
    "--q",
    type=Number(1e-6, 1e6),
    default=1,
    show_default=True,
    help="node2vec's in-out parameter; below 1, walks go far; above 1, they stay close.",
)
@click.option(
    "--directed", is_flag=True, help="Follow edges only from the first node to the second."
)
@click.option("--unweighted", is_flag=True, help="Read two columns and ignore weights.")
@click.option(
    "--separator",
    type=click.Choice(tuple(SEPARATORS)),
    show_default="the one that comes first in the first line",
    help="Separator between columns.",
)
@click.option(
    "--header/--no-header",
    default=None,
    show_default="detected",
    help="Whether the first line names the columns.",
)
@encoding_option("EDGES")
@errors_option("What to do with bytes that are not valid in that encoding.")
@seed_option
@workers_option(
    "Threads; their number does not change the walks.", WholeNumber(1, 1024), "one per processor"
)
@overwrite_option
@quiet_option
@json_option
def walks(
    edges: str,
    output: str,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write random walks on the graph EDGES, one per line.

    EDGES has two nodes per line and optionally a weight. It is a file (.gz, .bz2, .xz and .zst are
    decompressed), a folder of files, or - for standard input. Train on the walks as a text:

    \b
    embedkit walks edges.tsv
    embedkit train walks.txt --tokenizer whitespace
    """  # noqa: D301 - click needs the character, not a backslash
    from embedkit.corpus.walks import WalkConfig, read_edges, write_walks
    from embedkit.system.files import check_output_stream

    # Checked before the edges are read.
    config = WalkConfig(**{field.name: options.pop(field.name) for field in fields(WalkConfig)})
    refuse_inputs([output], [edges])
    refuse_two_streams(output, as_json=as_json)
    lock_outputs(output)
    check_output_stream(output, overwrite=overwrite)
    with Display((edges,), quiet=quiet) as display:
        graph = read_edges(
            edges, weighted=not options.pop("unweighted"), progress=display.reading, **options
        )
        display.say(_size(graph))
        total = config.walks * len(graph)
        counts = write_walks(
            graph,
            output,
            config,
            overwrite=overwrite,
            progress=lambda count: display.walking(count, total),
        )
    if as_json:
        print_json(_facts(graph, counts, config, output))
    elif not quiet and not is_standard_output(output):
        click.echo(f"{output}: {counted(counts.walks, 'walk')}, {counted(counts.nodes, 'node')}")
        click.echo(f"Try: embedkit train {shlex.quote(output)} --tokenizer whitespace")


def _size(graph: Graph) -> str:
    kinds = ", directed" * graph.directed + ", weighted" * (graph.weights is not None)
    return f"{counted(len(graph), 'node')}, {counted(graph.edges, 'edge')}{kinds}"


def _facts(graph: Graph, counts: WalkCounts, config: WalkConfig, output: str) -> dict[str, object]:
    return {
        "file": output,
        "nodes": len(graph),
        "edges": graph.edges,
        "directed": graph.directed,
        "weighted": graph.weights is not None,
        "walks": counts.walks,
        "steps": counts.nodes - counts.walks,
        "walks_a_node": config.walks,
        "length": config.length,
        "p": config.p,
        "q": config.q,
        "seed": config.seed,
    }
