# One letter may be addressed to several agencies of a node: it comes once to each.

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0013_start_events"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="edxmlfilerow",
            name="edxml_file_once",
        ),
        migrations.AddConstraint(
            model_name="edxmlfilerow",
            constraint=models.UniqueConstraint(
                fields=("direction", "agency", "organ", "document_id", "identity", "state"),
                name="edxml_file_once",
            ),
        ),
    ]
