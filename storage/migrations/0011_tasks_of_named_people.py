from django.db import migrations, models

from storage.quietly import AddIndexQuietly


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("storage", "0010_room_in_hot_pages"),
    ]

    operations = [
        AddIndexQuietly(
            model_name="taskrow",
            index=models.Index(
                condition=models.Q(
                    ("state", "open"), models.Q(("candidates", "[]"), _negated=True)
                ),
                fields=["agency"],
                name="task_named",
            ),
        ),
        AddIndexQuietly(
            model_name="taskrow",
            index=models.Index(
                condition=models.Q(("escalated", True), ("state", "open")),
                fields=["agency"],
                name="task_raised",
            ),
        ),
    ]
