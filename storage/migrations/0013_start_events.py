from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0012_trace_context"),
    ]

    operations = [
        migrations.CreateModel(
            name="StartEventRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("procedure", models.TextField()),
                ("agency", models.TextField()),
                ("element_id", models.TextField()),
                ("package_sha256", models.CharField(max_length=64)),
                ("signal", models.TextField()),
                ("armed", models.BigIntegerField()),
                ("due", models.BigIntegerField(null=True)),
                ("fired", models.BigIntegerField()),
            ],
            options={
                "db_table": "start_event",
                "indexes": [
                    models.Index(fields=["due"], name="start_event_due"),
                    models.Index(fields=["signal"], name="start_event_signal"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("procedure", "agency", "element_id"), name="start_event_once"
                    )
                ],
            },
        ),
    ]
