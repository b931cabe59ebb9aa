import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0008_portal_sync"),
    ]

    operations = [
        migrations.AddField(
            model_name="taskrow",
            name="candidates",
            field=models.TextField(default="[]"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="taskrow",
            name="escalated",
            field=models.BooleanField(default=False),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="taskrow", name="remind_at", field=models.BigIntegerField(null=True)
        ),
        migrations.AddField(
            model_name="taskrow",
            name="reminded",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="dossierrow", name="remind_at", field=models.BigIntegerField(null=True)
        ),
        migrations.AddField(
            model_name="dossierrow",
            name="reminded",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="silencerow", name="remind_at", field=models.BigIntegerField(null=True)
        ),
        migrations.AddField(
            model_name="silencerow",
            name="reminded",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="silencerow",
            index=models.Index(
                condition=models.Q(("decided", None)), fields=["remind_at"], name="silence_remind"
            ),
        ),
        migrations.AddIndex(
            model_name="taskrow",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["remind_at"], name="task_remind"
            ),
        ),
        migrations.AddIndex(
            model_name="dossierrow",
            index=models.Index(
                condition=models.Q(("is_open", True)), fields=["remind_at"], name="dossier_remind"
            ),
        ),
        migrations.CreateModel(
            name="NoticeRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("once", models.TextField()),
                ("username", models.TextField()),
                ("kind", models.CharField(max_length=24)),
                ("task", models.CharField(max_length=36, null=True)),
                ("element_id", models.TextField()),
                ("parameters", models.TextField()),
                ("created", models.BigIntegerField()),
                ("dismissed", models.BigIntegerField(null=True)),
                (
                    "dossier",
                    models.ForeignKey(
                        db_column="dossier",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="storage.dossierrow",
                    ),
                ),
            ],
            options={
                "db_table": "notice",
                "indexes": [
                    models.Index(
                        condition=models.Q(("dismissed", None)),
                        fields=["username", "created"],
                        name="notice_open",
                    ),
                    models.Index(fields=["dossier"], name="notice_dossier"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("username", "once"), name="notice_once")
                ],
            },
        ),
    ]
