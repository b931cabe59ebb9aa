# One letter may be addressed to several agencies of a node: it comes once to each.

from django.db import migrations, models

from storage.quietly import AddUniqueQuietly


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("storage", "0013_start_events"),
    ]

    operations = [
        AddUniqueQuietly(
            model_name="edxmlfilerow",
            constraint=models.UniqueConstraint(
                fields=("direction", "agency", "organ", "document_id", "identity", "state"),
                name="edxml_file_of_agency_once",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="edxmlfilerow",
            name="edxml_file_once",
        ),
    ]
