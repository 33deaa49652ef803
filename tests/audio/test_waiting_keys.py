"""What is kept of what hands do while nothing can sound."""

from ddsp_studio.audio.waiting_keys import WaitingKeys


def kept(*messages):
    keys = WaitingKeys()
    for data in messages:
        keys.post(bytes(data))
    return [tuple(data) for data in keys.take()]


def test_keys_that_were_let_go_again_are_forgotten():
    assert kept((0x90, 60, 100), (0x90, 64, 90), (0x80, 60, 0), (0x91, 67, 80), (0x91, 67, 0)) == [(0x90, 64, 90)]


def test_a_key_from_before_is_let_go():
    assert kept((0x80, 60, 0), (0x90, 60, 100)) == [(0x80, 60, 0), (0x90, 60, 100)]


def test_controllers_keep_their_last_place():
    messages = [(0xB0, 1, 5), (0xB0, 7, 9), (0xB0, 1, 80), (0xE0, 0, 64), (0xE0, 0, 70), (0xD0, 30), (0xD1, 31)]
    assert kept(*messages) == [(0xB0, 7, 9), (0xB0, 1, 80), (0xE0, 0, 70), (0xD0, 30), (0xD1, 31)]


def test_all_notes_off_forgets_the_keys_of_its_channel():
    assert kept((0x90, 60, 100), (0x91, 61, 100), (0xB0, 123, 0)) == [(0x91, 61, 100), (0xB0, 123, 0)]


def test_it_is_taken_once_and_never_grows_without_end():
    keys = WaitingKeys()
    for channel in range(16):
        for number in range(128):
            for kind in (0x80, 0x90, 0xA0, 0xB0):
                keys.post(bytes((kind | channel, number, 1)))
    assert len(keys.take()) <= 4096
    assert keys.take() == []
