from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0011_tasks_of_named_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="TraceContextRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job", models.CharField(max_length=16)),
                ("subject", models.CharField(max_length=128)),
                ("traceparent", models.CharField(max_length=64)),
                ("at", models.BigIntegerField()),
            ],
            options={
                "db_table": "trace_context",
                "constraints": [
                    models.UniqueConstraint(fields=("job", "subject"), name="trace_context_once")
                ],
            },
        ),
    ]
