"""Key procedure versions by their folder; tables of proposals and rule packs."""

from django.db import migrations, models
from django.db.models import Q

_COPY = (
    "INSERT INTO procedure_version (package_sha256, sha256, procedure, version, effective_from,"
    " published, published_by, confirmed_by) SELECT package_sha256, sha256, procedure, version,"
    " effective_from, published, published_by, '' FROM definition",
    "INSERT INTO procedure_file (package_sha256, path, content) SELECT d.package_sha256, f.path,"
    " f.content FROM definition_file f JOIN definition d ON d.sha256 = f.sha256",
    "UPDATE instance SET definition_sha256 = (SELECT d.package_sha256 FROM definition d"
    " WHERE d.sha256 = instance.definition_sha256) WHERE definition_sha256 IN"
    " (SELECT sha256 FROM definition)",
    # Before there were packs, everything ran under what is now the first of them.
    "UPDATE dossier SET rule_pack = '2018.1'",
)


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_silence")]

    operations = [
        migrations.RenameModel("DefinitionRow", "OldDefinitionRow"),
        migrations.RenameModel("DefinitionFileRow", "OldDefinitionFileRow"),
        migrations.CreateModel(
            name="DefinitionRow",
            fields=[
                (
                    "package_sha256",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("procedure", models.TextField()),
                ("version", models.TextField()),
                ("effective_from", models.CharField(max_length=10)),
                ("published", models.BigIntegerField()),
                ("published_by", models.TextField()),
                ("confirmed_by", models.TextField()),
            ],
            options={
                "db_table": "procedure_version",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("procedure", "version"), name="procedure_version_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DefinitionFileRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("package_sha256", models.CharField(max_length=64)),
                ("path", models.TextField()),
                ("content", models.BinaryField()),
            ],
            options={
                "db_table": "procedure_file",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("package_sha256", "path"), name="procedure_file_path"
                    )
                ],
            },
        ),
        *(migrations.RunSQL(statement) for statement in _COPY),
        migrations.DeleteModel("OldDefinitionFileRow"),
        migrations.DeleteModel("OldDefinitionRow"),
        migrations.CreateModel(
            name="RulePackRow",
            fields=[
                ("version", models.CharField(max_length=63, primary_key=True, serialize=False)),
                ("package_sha256", models.CharField(max_length=64)),
                ("effective_from", models.CharField(max_length=10)),
                ("published", models.BigIntegerField()),
                ("published_by", models.TextField()),
                ("confirmed_by", models.TextField()),
            ],
            options={"db_table": "rule_pack"},
        ),
        migrations.CreateModel(
            name="RulePackFileRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=63)),
                ("path", models.TextField()),
                ("content", models.BinaryField()),
            ],
            options={
                "db_table": "rule_pack_file",
                "constraints": [
                    models.UniqueConstraint(fields=("version", "path"), name="rule_pack_file_path")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProposalRow",
            fields=[
                ("id", models.CharField(max_length=36, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                ("name", models.TextField()),
                ("version", models.TextField()),
                ("package_sha256", models.CharField(max_length=64)),
                ("effective_from", models.CharField(max_length=10)),
                ("proposed", models.BigIntegerField()),
                ("proposed_by", models.TextField()),
                ("state", models.CharField(max_length=16)),
                ("decided", models.BigIntegerField(null=True)),
                ("decided_by", models.TextField()),
                ("reason", models.TextField()),
            ],
            options={
                "db_table": "proposal",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "name", "version"),
                        name="proposal_open_once",
                        condition=Q(state="open"),
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProposalFileRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        db_column="proposal",
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="+",
                        to="storage.proposalrow",
                    ),
                ),
                ("path", models.TextField()),
                ("content", models.BinaryField()),
            ],
            options={
                "db_table": "proposal_file",
                "constraints": [
                    models.UniqueConstraint(fields=("proposal", "path"), name="proposal_file_path")
                ],
            },
        ),
    ]
