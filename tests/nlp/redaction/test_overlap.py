from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nlp.redaction import resolve
from nlp.types import Entity, Span

ENTITIES = st.lists(
    st.builds(
        lambda start, length, kind, score: Entity(Span(start, start + length), kind, score, kind.lower()),
        st.integers(0, 60),
        st.integers(1, 12),
        st.sampled_from(["PERSON", "PHONE", "DOCUMENT"]),
        st.sampled_from([0.3, 0.6, 0.9]),
    ),
    max_size=20,
)


def places(entities: list[Entity]) -> set[int]:
    return {place for entity in entities for place in range(entity.span.start, entity.span.end)}


@given(ENTITIES)
def test_resolved_entities_are_disjoint_sorted_and_hide_as_much(entities: list[Entity]) -> None:
    resolved = resolve(entities)
    assert all(one.span.end <= other.span.start for one, other in pairwise(resolved))
    assert places(list(resolved)) == places(entities)


@given(ENTITIES)
def test_order_of_finding_does_not_matter(entities: list[Entity]) -> None:
    assert resolve(entities) == resolve(reversed(entities))


@given(ENTITIES)
def test_resolving_twice_changes_nothing(entities: list[Entity]) -> None:
    assert resolve(resolve(entities)) == resolve(entities)


def test_what_covers_all_gives_the_type() -> None:
    name, street = Entity(Span(4, 8), "PERSON", 0.9, "name"), Entity(Span(0, 12), "ADDRESS", 0.8, "street")
    assert resolve([name, street]) == (street,)


def test_the_stronger_gives_the_type() -> None:
    weak, strong = Entity(Span(0, 9), "DOCUMENT", 0.4, "net"), Entity(Span(4, 12), "PHONE", 0.9, "phone")
    assert resolve([weak, strong]) == (Entity(Span(0, 12), "PHONE", 0.9, "phone"),)
