"""walks: a graph in, random walks out, to be trained on."""

from __future__ import annotations

import shlex
from typing import Any

import click

from embedkit.cli.options import OutputName, refuse_inputs
from embedkit.cli.output import to_json
from embedkit.cli.progress import Display
from embedkit.validation import ERROR_POLICIES

__all__ = ["walks"]


@click.command()
@click.argument("edges", metavar="EDGES")
@click.option(
    "-o",
    "--output",
    type=OutputName(stream=True),
    default="walks.txt",
    show_default=True,
    metavar="FILE",
    help="File to write, compressed if its name ends so (.gz, .zst, ...); - for standard output.",
)
@click.option("--walks", type=int, default=10, show_default=True, help="Walks from each node.")
@click.option("--length", type=int, default=40, show_default=True, help="Nodes of a walk.")
@click.option(
    "--p",
    type=float,
    default=1.0,
    show_default=True,
    help="node2vec's return parameter: above 1, walks seldom step back.",
)
@click.option(
    "--q",
    type=float,
    default=1.0,
    show_default=True,
    help="node2vec's in-out parameter: below 1, walks go far; above 1, they stay near.",
)
@click.option("--directed", is_flag=True, help="Edges lead from the first node to the second only.")
@click.option("--unweighted", is_flag=True, help="Read two columns; the others are no weights.")
@click.option(
    "--separator",
    type=click.Choice(["tab", "comma", "space"]),
    help="What stands between columns.  [default: what the first line has, in this order]",
)
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether the first line names the columns.  [default: if it looks like it]",
)
@click.option(
    "--errors",
    type=click.Choice(ERROR_POLICIES),
    default="strict",
    show_default=True,
    help="What to do with bytes that are not UTF-8.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of every random draw.")
@click.option(
    "--workers",
    type=int,
    help="Threads; the walks do not depend on them.  [default: one a processor]",
)
@click.option("--overwrite", is_flag=True, help="Replace the file that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def walks(
    edges: str,
    output: str,
    directed: bool,
    unweighted: bool,
    separator: str | None,
    header: bool | None,
    errors: str,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Walk at random on the graph that EDGES holds, and write a walk a line.

    EDGES has two nodes a line, and perhaps a weight; it is a file (.gz, .bz2, .xz and .zst too), a
    folder of them, or - for standard input. Train on the walks as they are:

    \b
    embedkit walks edges.tsv
    embedkit train walks.txt --tokenizer whitespace
    """  # noqa: D301 - click wants the character, not a backslash
    from embedkit.corpus.walks import WalkConfig, read_edges, write_walks
    from embedkit.system.files import check_output_stream

    config = WalkConfig(**settings)  # mistakes are found before the edges are read
    refuse_inputs([output], [edges])
    check_output_stream(output, overwrite=overwrite)
    with Display((edges,), quiet=quiet) as display:
        graph = read_edges(
            edges,
            directed=directed,
            weighted=not unweighted,
            separator=separator,
            header=header,
            errors=errors,
            progress=display.reading,
        )
        kinds = ", directed" * graph.directed + ", weighted" * (graph.weights is not None)
        display.say(f"{len(graph):,} nodes, {graph.edges:,} edges{kinds}")
        total = config.walks * len(graph)
        counts = write_walks(
            graph,
            output,
            config,
            overwrite=overwrite,
            progress=lambda count: display.walking(count, total),
        )
    report = {
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
    said = [f"{output}: {counts.walks:,} walks, {counts.nodes:,} nodes"]
    said.append(f"Try: embedkit train {shlex.quote(output)} --tokenizer whitespace")
    if as_json:
        click.echo(to_json(report), err=output == "-")
    elif not quiet and output != "-":
        click.echo("\n".join(said))
