from hypothesis import given
from hypothesis import strategies as st

from collector._core.sequence import Progress, StreamView, view_of

SPANS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda span: (span[0], span[0] + span[1])))


def _settled(progress: Progress) -> set[int]:
    return {sequence for sequence in range(1, 60) if progress.has(sequence)}


@given(SPANS)
def test_spans_say_the_same_as_a_set(spans: list[tuple[int, int]]) -> None:
    progress, model = Progress(StreamView()), set[int]()
    for first, last in spans:
        progress.add(first, last)
        model |= set(range(first, last + 1))
        assert _settled(progress) == model
        assert progress.mark == next(n for n in range(60) if n + 1 not in model)
        view = progress.view()
        edges = [edge for span in view.beyond for edge in span]
        assert edges == sorted(edges), "spans ascend"
        assert all(last + 1 < first for (_, last), (first, _) in zip(view.beyond, view.beyond[1:], strict=False))
    assert Progress(progress.view()).view() == progress.view()


@given(SPANS, st.integers(1, 50), st.integers(0, 10))
def test_missing_lists_exactly_what_is_not_settled(spans: list[tuple[int, int]], first: int, length: int) -> None:
    progress = Progress(StreamView())
    for span in spans:
        progress.add(*span)
    missing = [n for low, high in progress.missing(first, first + length) for n in range(low, high + 1)]
    assert missing == [n for n in range(first, first + length + 1) if not progress.has(n)]


@given(SPANS)
def test_undeclared_holes_lie_below_the_highest_sequence(spans: list[tuple[int, int]]) -> None:
    progress = Progress(StreamView())
    for span in spans:
        progress.add(*span)
    highest = max(_settled(progress), default=0)
    holes = {n for low, high in progress.undeclared() for n in range(low, high + 1)}
    assert holes == set(range(1, highest + 1)) - _settled(progress)


def test_a_view_is_rebuilt_from_a_mark_and_single_sequences() -> None:
    assert view_of(3, {9, 5, 6, 4}) == StreamView(6, ((9, 9),))


def test_a_span_of_a_billion_costs_no_more_than_one_of_two() -> None:
    progress = Progress(StreamView())
    progress.add(5, 10**9)
    assert progress.view() == StreamView(0, ((5, 10**9),))
    progress.add(1, 4)
    assert progress.view() == StreamView(10**9)
