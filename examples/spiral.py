"""A linear classifier and a network of two layers on four spiral arms.

    python examples/spiral.py spiral.png

No straight lines divide arms that wind around each other, so that the linear classifier is right
for about half of the points. One hidden layer of rectified units, trained with Adam, bends the
borders along the arms. The picture shows the regions that each of the two gives to each class.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import nn

ARMS, POINTS = 4, 250
# Of a whole turn: how far an arm winds, and how far points lie beside it, as a deviation.
TURN, NOISE = 0.55, 0.02
# Okabe and Ito's palette, which is told apart with any kind of colour vision.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def spiral(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points ``(N, 2)`` on four arms, and the arm ``(N,)`` of each."""
    generator = np.random.default_rng(seed)
    arm = np.repeat(np.arange(ARMS), POINTS)
    radius = np.tile(np.linspace(0.1, 1.0, POINTS), ARMS)
    angle = 2 * np.pi * (arm / ARMS + TURN * radius + generator.normal(0, NOISE, arm.size))
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return torch.tensor(points, dtype=torch.float32), torch.tensor(arm)


def train(model: nn.Module, points: torch.Tensor, arms: torch.Tensor, *, steps: int) -> None:
    """Minimise the cross-entropy on all points with Adam."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(points), arms)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def accuracy(model: nn.Module, points: torch.Tensor, arms: torch.Tensor) -> float:
    """Return the share of points whose arm is found."""
    with torch.no_grad():
        return float((model(points).argmax(1) == arms).double().mean())


def draw(models: dict[str, nn.Module], points: torch.Tensor, arms: torch.Tensor, to: Path) -> None:
    """Draw the regions of each model with the points on top."""
    figure = Figure(figsize=(4.2 * len(models), 4.4), dpi=150, layout="constrained")
    line = torch.linspace(-1.3, 1.3, 400)
    y, x = torch.meshgrid(line, line, indexing="ij")
    grid = torch.stack([x, y], dim=-1).reshape(-1, 2)
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for axes, (name, model) in zip(panels, models.items(), strict=True):
        with torch.no_grad():
            regions = model(grid).argmax(1).reshape(x.shape).numpy()
        map_ = ListedColormap(COLORS)
        extent = (-1.3, 1.3, -1.3, 1.3)
        axes.imshow(
            regions, origin="lower", extent=extent, cmap=map_, vmin=0, vmax=ARMS - 1, alpha=0.35
        )
        axes.scatter(*points.numpy().T, c=arms.numpy(), cmap=map_, vmin=0, vmax=ARMS - 1, s=3)
        axes.set_title(f"{name}: {accuracy(model, points, arms):.1%} right", fontsize=10)
        axes.set_axis_off()
    figure.savefig(to, bbox_inches="tight", pad_inches=0.1)


def main(to: Path) -> None:
    """Train both, print their accuracies on other points of the same arms, and draw them."""
    torch.manual_seed(0)
    models = {
        "linear": nn.Linear(2, ARMS),
        "two layers": nn.Sequential(nn.Linear(2, 100), nn.ReLU(), nn.Linear(100, ARMS)),
    }
    points, arms = spiral(seed=0)
    others = spiral(seed=1)
    for name, model in models.items():
        train(model, points, arms, steps=500)
        print(f"{name}: {accuracy(model, *others):.3f}")
    draw(models, *others, to=to)
    print(f"Decision regions: {to}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/spiral.py PICTURE.png")
    main(Path(sys.argv[1]))
