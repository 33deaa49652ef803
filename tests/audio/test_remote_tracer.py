"""Patches traced by another process: the same sound, and nothing lost when that process ends."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from ddsp_studio import resources
from ddsp_studio.audio.protocol import encode
from ddsp_studio.audio.remote_tracer import RemoteTracer, RemoteWork
from ddsp_studio.audio.tracer_messages import Array, Done, Failed, ProgramData, Trace, Traced, Use, decode_answer, decode_question
from ddsp_studio.audio.tracer_process import TracerHost
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.nesting import playable
from ddsp_studio.processors.patch import Cable, Exposed, Inside, Node, Patch, Port
from ddsp_studio.processors.player import Player
from ddsp_studio.processors.programs import Exporter, Loaded, Program
from ddsp_studio.processors.sketch import Definition

from .patches import synth

HOPS = 4


@pytest.fixture(scope="module")
def tracer():
    made = RemoteTracer()
    yield made
    made.close()


def performance(hops):
    notes = np.zeros((2, hops, 7), np.float32)
    notes[:, :, 0], notes[:, :, 1:4] = [[110.0], [330.0]], 1.0
    return notes


def sound(player, blocks=6):
    values = np.repeat(player.values[None], HOPS, axis=0)
    return np.concatenate([player.render(values, performance(HOPS)).audio for _ in range(blocks)], axis=1)


def player(tracer=None, patch=None):
    made = Player(patch or synth(), sample_rate=48_000, voices=2, tracer=tracer)
    made.warm(HOPS)
    return made


def test_it_sounds_as_if_traced_here(tracer):
    here, there = sound(player()), sound(player(tracer))
    assert np.abs(here).max() > 0.01
    np.testing.assert_allclose(there, here, atol=1e-6)


def test_what_xla_compiled_serves_later_patches(tracer):
    first = player(tracer)
    plain = sound(first)
    while first.improve(HOPS):
        pass
    assert first.refresh(HOPS)
    first.reset()
    np.testing.assert_allclose(sound(first), plain, atol=1e-5)
    again = player(tracer)
    assert not again._work, "nothing is left for XLA to do"
    np.testing.assert_allclose(sound(again), plain, atol=1e-5)


def test_what_was_traced_of_late_is_kept(tracer):
    name = next(name for name, node in synth().nodes.items() if node.type == "Output")
    first, louder = player(tracer), player(tracer, synth().with_value(name, "gain", (-20.0,)))
    assert louder._functions[HOPS] is first._functions[HOPS], "values are no structure"
    renamed = player(tracer, synth().renamed(name, "ears"))
    assert renamed._functions[HOPS] is not first._functions[HOPS]
    assert player(tracer)._functions[HOPS] is first._functions[HOPS]


def test_a_tracer_that_was_killed_is_replaced(tracer):
    before = sound(player(tracer))
    os.kill(tracer.child.pid, signal.SIGKILL)
    time.sleep(0.1)
    np.testing.assert_allclose(sound(player(tracer)), before, atol=1e-6)


@pytest.mark.parametrize("name", resources.factory(resources.PATCHES))
def test_shipped_patches_arrive_as_they_are(name):
    patch = playable(patch_file.load(resources.factory(resources.PATCHES)[name]))
    asked = Trace(patch=patch, sample_rate=48_000.0, rows=1, hops=1, compiler="nodes")
    assert decode_question(encode(asked)) == asked


def test_groups_are_traced(tracer):
    inside = Patch(nodes={"softer": Node("Gain", values={"gain": (-6.0,)})})
    ports = tuple(Exposed(port, Port("softer", port)) for port in ("input", "audio"))
    patch = synth()
    cable = next(cable for cable in patch.cables if patch.nodes[cable.target.node].type == "Output")
    patch = patch.without_cables([cable]).with_node("group", Node("Group", inside=Inside(inside, ports)))
    patch = patch.with_cable(Cable(cable.source, Port("group", "input"))).with_cable(Cable(Port("group", "audio"), cable.target))
    np.testing.assert_allclose(sound(player(tracer, playable(patch))), sound(player(patch=playable(patch))), atol=1e-6)


def test_a_tracer_that_ends_while_xla_compiles_is_replaced(tracer):
    work = RemoteWork(tracer, [0], tracer.child)
    os.kill(tracer.child.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert not work.compile()
    heard = []
    asking = threading.Thread(target=lambda: heard.append(sound(player(tracer))), daemon=True)
    asking.start()
    asking.join(60.0)  # a question to the dead would wait for ever
    assert heard
    assert np.abs(heard[0]).max() > 0.01


def test_a_function_that_keeps_a_variable_is_refused():
    kept = tf.Variable(1.0)
    function = tf.function(lambda x: x * kept, autograph=False).get_concrete_function(tf.TensorSpec([2]))
    with pytest.raises(ValueError, match="weights are inputs"):
        Exporter().program(Definition.of(function), pooled=False)


def test_loops_and_constants_travel():
    table = tf.constant(np.arange(300.0, dtype=np.float32))  # too many numbers to be written into the graph

    def body(x):
        return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2.0 + table), [0, x])[1]

    function = tf.function(body, autograph=False).get_concrete_function(tf.TensorSpec([300]))
    program = Exporter().program(Definition.of(function), pooled=True)
    assert program.name == Exporter().program(Definition.of(function), pooled=True).name, "it is named after its content"
    assert len(program.library) >= 3, "the loop's condition and body go with it"
    given = tf.ones([300])
    np.testing.assert_array_equal(Loaded(program)(given)[0], function(given))


def test_a_definition_that_is_called_travels_once():
    spec = tf.TensorSpec([2])
    inner = tf.function(lambda x: x + 1.0, autograph=False).get_concrete_function(spec)
    outer = [tf.function(lambda x, k=k: inner(x) * k, autograph=False).get_concrete_function(spec) for k in (2.0, 3.0)]
    exporter = Exporter()
    first, second = (exporter.program(Definition.of(function), pooled=False) for function in outer)
    assert (len(first.library), len(second.library)) == (2, 1)
    assert first.name != second.name
    for program, expected in ((first, 4.0), (second, 6.0), (first, 4.0)):
        np.testing.assert_array_equal(Loaded(program)(tf.ones([2]))[0], [expected] * 2)


def test_what_is_no_program_is_refused():
    with pytest.raises(ValueError, match="cannot be taken in"):
        Loaded(Program("nothing", 1, False, [b"\xff\xff not a function"]))


def test_the_host_answers_what_it_cannot_do_in_a_sentence():
    host = TracerHost()
    asked = Trace(patch=Patch(nodes={"odd": Node("Unheard")}), sample_rate=48_000.0, rows=1, hops=1, compiler="nodes")
    assert isinstance(host.answer(asked), Failed)
    assert isinstance(host.answer(Use(key=7)), Failed)
    with pytest.raises(ValueError, match=r".+"):
        decode_question(b'{"what": "Nonsense"}')


def test_messages_hold_programs_unharmed():
    program = ProgramData(
        name="f", outputs=2, pooled=False, library=[bytes(range(256))], constants=[Array(kind="float32", shape=[1], data=b"abcd")]
    )
    said = Traced(program=program, pending=[1, 2])
    assert decode_answer(encode(said)) == said
    assert decode_answer(encode(Done())) == Done()


def test_the_next_process_begins_with_what_was_compiled(tmp_path):
    heard = []
    for start in range(2):
        made = RemoteTracer(tmp_path)
        try:
            first = player(made)
            assert first.nodes_left(HOPS) == (start == 0)
            while first.nodes_left(HOPS):
                first.improve(HOPS)
                first.refresh(HOPS)
            first.reset()
            heard.append((sound(first), first._functions[HOPS]._name))
        finally:
            made.close()
    np.testing.assert_allclose(heard[1][0], heard[0][0], atol=1e-6)
    assert heard[1][1] == heard[0][1], "XLA finds its code by the name"


def test_after_damage_every_name_is_another():
    """XLA in this process would go on failing under the old ones."""
    made = RemoteTracer()
    try:
        before = player(made)
        made.begin_anew()
        after = player(made)
        assert after._functions[HOPS]._name != before._functions[HOPS]._name
        np.testing.assert_allclose(sound(after), sound(before), atol=1e-6)
    finally:
        made.close()
