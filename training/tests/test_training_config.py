"""The `training` section: defaults, nested values, mistakes."""

import pytest

from bdc_training.training_config import TrainingConfig, training_config


def test_what_isnt_said_keeps_its_default() -> None:
    config = training_config({"steps": 7, "losses": {"depth": 0.5}, "learning_rate": 1})
    assert (config.steps, config.losses.depth, config.learning_rate) == (7, 0.5, 1.0)
    assert config.batch_size == TrainingConfig().batch_size
    assert config.losses.box == TrainingConfig().losses.box


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"stepps": 7}, r"training\.stepps: no such key; did you mean steps\?"),
        ({"losses": {"dept": 1.0}}, r"training\.losses\.dept: no such key; did you mean depth\?"),
        ({"ema_decay": 1.0}, r"training\.ema_decay: expected at least 0 and below 1; found 1\.0"),
        ({"augmentation": {"flip_x": 50}}, r"training\.augmentation\.flip_x: expected 0 to 1; found 50"),
        ({"steps": 2.5}, r"training\.steps: expected int; found 2\.5"),
    ],
)
def test_mistakes_are_named_with_their_place(section: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        training_config(section)
