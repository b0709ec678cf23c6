"""search: find documents by what they mean and by their words."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.groups import Group
from embedkit.cli.input import ask_many
from embedkit.cli.options import (
    Command,
    encoding_option,
    json_option,
    k_option,
    model_option,
    output_option,
    overwrite_option,
    quiet_option,
    refuse_unused,
)
from embedkit.cli.output import print_json
from embedkit.cli.parameters import INPUT, ModelPath, Number, OutputPath, WholeNumber
from embedkit.cli.paths import refuse_inputs
from embedkit.cli.progress import Display
from embedkit.cli.search_report import (
    print_answers,
    print_info,
    print_report,
)
from embedkit.corpus.tokenizers import TOKENIZERS
from embedkit.errors import counted
from embedkit.retrieval.options import (
    DOCUMENT_FORMATS,
    ROW_POLICIES,
    SEARCH_KINDS,
    SEARCH_METHODS,
    SEARCH_POOLINGS,
)

if TYPE_CHECKING:
    from embedkit.retrieval.documents import DocumentReader

__all__ = ["search"]

_index_argument = click.argument("index", type=ModelPath())
_other_model_option = click.option(
    "--model",
    type=ModelPath(),
    metavar="PATH",
    help="Model that the index was built with, if it was moved.",
)


def _document_options(command: Command) -> Command:
    for option in (
        click.option("--text", default="text", show_default=True, metavar="NAME",
                     help="Column of texts."),
        click.option("--id", "key", default="id", show_default=True, metavar="NAME",
                     help="Column of ids; without a column id, documents are numbered."),
        encoding_option("DOCUMENTS"),
        click.option(
            "--format", "form", type=click.Choice(DOCUMENT_FORMATS),
            show_default="detected from the name or the first line", help="Format of DOCUMENTS.",
        ),
        click.option(
            "--errors", type=click.Choice(ROW_POLICIES), default="strict", show_default=True,
            help="What to do with a document that cannot be indexed: stop, or leave it out.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(cls=Group)
def search() -> None:
    """Search documents by meaning and by words.

    An index is a directory. It keeps the documents, and needs the model that it was built with.
    """


@search.command("build")
@click.argument("documents", type=INPUT)
@output_option("Directory to write.", OutputPath(directory=True), default="docs.index")
@model_option
@click.option(
    "--pooling",
    type=click.Choice(SEARCH_POOLINGS),
    show_default="sif if the model has counts",
    help="Weights of words in the vector of a passage.",
)
@click.option(
    "--kind",
    type=click.Choice(SEARCH_KINDS),
    default="auto",
    show_default=True,
    help="flat searches exactly, hnsw a graph, ivf inverted lists, ivfpq compressed ones, pq scans "
    "compressed vectors; auto is flat up to 64 MiB of vectors and then pq.",
)
@click.option(
    "--passage",
    type=WholeNumber(1),
    default=200,
    show_default=True,
    help="Words of a passage; longer documents are cut.",
)
@click.option(
    "--overlap",
    type=WholeNumber(0),
    show_default="a quarter of --passage",
    help="Words that two neighboring passages share.",
)
@click.option(
    "--tokenizer",
    type=click.Choice(tuple(TOKENIZERS)),
    show_default="that of the model",
    help="How texts are split into words.",
)
@click.option(
    "--sif-a",
    type=Number(1e-12, 1e6),
    default=1e-3,
    show_default=True,
    help="Constant of the sif weights.",
)
@_document_options
@overwrite_option
@quiet_option
@json_option
def build_index(
    documents: str, output: str, model: str, overwrite: bool, quiet: bool, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Build an index of DOCUMENTS: JSON lines, TSV, CSV or a folder of text files.

    - is standard input. Columns other than the text and the id are kept and printed with answers.
    """
    from embedkit.retrieval.settings import SearchIndexSettings
    from embedkit.retrieval.text_index import TextIndex

    refuse_inputs([output], [documents])
    if options["pooling"] == "tfidf":
        refuse_unused("with --pooling tfidf", "sif_a")
    reader = _reader(documents, options)
    settings = SearchIndexSettings(**options)
    with Display(quiet=quiet or as_json) as display:
        built = TextIndex.build(
            reader, output, model, settings=settings, overwrite=overwrite,
            progress=display.documents,
        )  # fmt: skip
    print_report(built, reader, quiet=quiet, as_json=as_json)
    if not quiet and not as_json:
        click.echo(f'Try: embedkit search ask {shlex.quote(output)} "your question"')


@search.command("ask")
@_index_argument
@click.argument("question", nargs=-1, required=True)
@k_option
@click.option(
    "--method",
    type=click.Choice(SEARCH_METHODS),
    default="fused",
    show_default=True,
    help="Rank by meaning (dense), by words (bm25), or by both.",
)
@click.option(
    "--rerank/--no-rerank",
    default=None,
    show_default="only with fused",
    help="Also compare the first hundred passages word by word (word mover's distance).",
)
@_other_model_option
@json_option
def ask_question(
    index: str, question: tuple[str, ...], k: int, method: str, rerank: bool | None,
    model: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Print the documents that answer QUESTION best, best first.

    With - instead of the question, questions are read from standard input, one per line.
    """
    from embedkit.retrieval.text_index import TextIndex

    opened = TextIndex.open(index, model)
    given = None if question == ("-",) else [" ".join(question)]
    questions, answers = ask_many(
        given, str, lambda asked: opened.ask_all(asked, k, method=method, rerank=rerank)
    )
    for number, (asked, found) in enumerate(zip(questions, answers, strict=True)):
        if as_json:
            print_json({"question": asked, "answers": [answer.as_dict() for answer in found]})
            continue
        if len(questions) > 1:
            click.echo(("\n" if number else "") + asked)
        print_answers(found)
    if not any(answers):
        if not as_json:
            click.echo("No document has a word of the question, or a similar one.", err=True)
        click.get_current_context().exit(1)


@search.command("add")
@_index_argument
@click.argument("documents", type=INPUT)
@_other_model_option
@_document_options
@quiet_option
@json_option
def add_documents(
    index: str, documents: str, model: str | None, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Add DOCUMENTS to an index, without building it again."""
    from embedkit.retrieval.text_index import TextIndex

    reader = _reader(documents, options)
    with Display(quiet=quiet or as_json) as display:
        changed = TextIndex.open(index, model).add(reader, progress=display.documents)
    print_report(changed, reader, quiet=quiet, as_json=as_json)


@search.command("delete")
@_index_argument
@click.argument("ids", nargs=-1, required=True)
@_other_model_option
@quiet_option
@json_option
def delete_documents(
    index: str, ids: tuple[str, ...], model: str | None, quiet: bool, as_json: bool
) -> None:
    """Delete documents by their IDS, or by those on standard input, one per line, with -."""
    from embedkit.retrieval.text_index import TextIndex

    opened = TextIndex.open(index, model)
    _, changed = ask_many(
        None if ids == ("-",) else list(ids), str, lambda keys: [opened.delete(keys)], kind="ids"
    )
    if as_json:
        print_json({"index": index, "documents": len(changed[0])})
    elif not quiet:
        click.echo(f"{index}: {counted(len(changed[0]), 'document')}")


@search.command("info")
@_index_argument
@_other_model_option
@json_option
def show_info(index: str, model: str | None, as_json: bool) -> None:
    """Print the size and the settings of an index."""
    from embedkit.retrieval.text_index import TextIndex

    facts = {"index": index, **TextIndex.open(index, model).info()}
    if as_json:
        print_json(facts)
        return
    print_info(facts)


def _reader(documents: str, options: dict[str, Any]) -> DocumentReader:
    from embedkit.retrieval.documents import Columns, DocumentReader

    return DocumentReader(
        documents,
        Columns(options.pop("text"), options.pop("key")),
        errors=options.pop("errors"),
        format=options.pop("form"),
        encoding=options.pop("encoding"),
    )
