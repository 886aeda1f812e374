import pytest
import torch

from bdc_training.batches import Batch
from bdc_training.distillation import DistillationConfig, Teacher, distillation_losses
from bdc_training.sample_spec import UNSEEN


def outputs(seed):
    """Logits of one sample: 2 heights × 3 classes on a 4 × 5 grid, 6 depth bins of 2 cameras, 2 detection classes."""
    torch.manual_seed(seed)
    return {
        "occupancy_logits": torch.randn(1, 6, 4, 5),
        "depth_logits": torch.randn(1, 2, 6, 2, 3),
        "heatmap": torch.randn(1, 2, 4, 5),
    }


def batch():
    labels = torch.zeros(1, 2, 4, 5, dtype=torch.int64)
    labels[:, :, 0] = UNSEEN
    depth = torch.zeros(1, 2, 6, 2, 3)
    depth[:, :, 0, 0] = 1
    heatmap = torch.zeros(1, 2, 4, 5)
    heatmap[0, 0, 1, 1] = 1
    empty = torch.zeros(0)
    return Batch(empty, empty, empty, empty, empty, None, labels, depth, heatmap, empty, empty, empty)


def test_gradients_vanish_where_the_student_says_what_the_teacher_says():
    student = {name: tensor.requires_grad_() for name, tensor in outputs(1).items()}
    losses = distillation_losses(student, {n: t.detach().clone() for n, t in student.items()}, batch(), torch.ones(3))
    sum(losses.values()).backward()
    for name, tensor in student.items():
        assert tensor.grad.abs().max() < 1e-6, name


def test_unseen_voxels_and_cells_without_returns_teach_nothing():
    student = {name: tensor.requires_grad_() for name, tensor in outputs(1).items()}
    losses = distillation_losses(student, outputs(2), batch(), torch.tensor([1.0, 2.0, 4.0]))
    (losses["occupancy"] + losses["depth"]).backward()
    occupancy, depth = student["occupancy_logits"].grad, student["depth_logits"].grad
    assert occupancy[:, :, 0].abs().max() == 0 and occupancy[:, :, 1:].abs().min() > 0
    assert depth[:, :, :, 1].abs().max() == 0 and depth[:, :, :, 0].abs().min() > 0


def test_occupancy_loss_is_the_weighted_mean_over_teacher_probabilities():
    student, teacher, weights = outputs(1), outputs(2), torch.tensor([1.0, 2.0, 4.0])
    found = distillation_losses(student, teacher, batch(), weights)["occupancy"]
    logits, soft = (o["occupancy_logits"].view(2, 3, 4, 5)[:, :, 1:] for o in (student, teacher))
    probabilities = soft.softmax(1) * weights.view(3, 1, 1)
    expected = -(probabilities * logits.log_softmax(1)).sum() / probabilities.sum()
    assert torch.allclose(found, expected)


def test_a_teacher_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.yaml"):
        Teacher(DistillationConfig(teacher=str(tmp_path)), torch.device("cpu"))


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match="share: expected 0 to 1"):
        DistillationConfig(share=1.5)
