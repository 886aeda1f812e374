"""The `training` section of a config file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .augmentation import AugmentationConfig
from .config_reading import from_mapping
from .distillation import DistillationConfig
from .losses import LossWeights
from .mixed_precision import MixedPrecision
from .optimizer import OptimizerName


@dataclass(frozen=True)
class TrainingConfig:
    seed: int = 0
    # The folder of a training run whose weights this one starts from, relative to the working directory; a binary
    # network can start from its full-precision twin's (bdc_training.checkpoint.start_from). Empty: from random weights.
    initial: str = ""
    # Of all processes together.
    batch_size: int = 2
    # Length of a run without --steps or --minutes.
    steps: int = 2500
    # muon: the hidden convolutions' weights by Muon, the other parameters by AdamW.
    optimizer: OptimizerName = "adamw"
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    # Learning rate at the end, as a share of `learning_rate`.
    final_share: float = 0.01
    # Of real-valued weight matrices; binary weights, norms, thresholds and slopes have none.
    weight_decay: float = 1e-2
    gradient_clip: float = 5.0
    # Of the moving average of the weights, which is what is validated and exported; 0 = none. A step's weights have
    # half their effect after 0.7 / (1 − ema_decay) steps: 350 here.
    ema_decay: float = 0.998
    # Class weights are (f_free / f_class)^exponent, at most the limit; frequencies from this many samples.
    class_weight_exponent: float = 0.25
    class_weight_limit: float = 15.0
    class_weight_samples: int = 200
    # Forward pass in bfloat16 where PyTorch's autocast does so, on a CPU in convolutions only; sums of more than 256
    # signs get rounded. `auto`: where the processor has instructions for it.
    mixed_precision: MixedPrecision = "float32"
    checkpoint_every: int = 200
    log_every: int = 20
    # gradients.csv: the norm of each module's gradient at each logged step.
    log_gradients: bool = False
    # Validation during the run: every so many steps, on the first so many samples.
    validate_every: int = 500
    validate_samples: int = 40
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    # Soft IoU (losses.iou) over the latest batches: the share of its sums that is kept at a step, such as 0.99; 0: of
    # each sample by itself.
    iou_memory: float = 0.0
    losses: LossWeights = field(default_factory=LossWeights)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay: expected at least 0 and below 1; found {self.ema_decay}")
        if not 0 <= self.iou_memory < 1:
            raise ValueError(f"iou_memory: expected at least 0 and below 1; found {self.iou_memory}")
        if self.iou_memory > 0 and self.losses.iou == 0:
            raise ValueError("iou_memory: has no effect without a soft IoU loss; set training.losses.iou above 0 too")


def training_config(section: Mapping[str, Any]) -> TrainingConfig:
    """@raises ValueError for a key that doesn't exist or a value of another kind."""
    return from_mapping(TrainingConfig, section, "training")
