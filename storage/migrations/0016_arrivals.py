from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0015_indexes_of_prefixes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ArrivalRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("message", models.CharField(max_length=36, unique=True)),
                ("due", models.BigIntegerField()),
                ("error", models.TextField()),
                ("container", models.BinaryField()),
                ("receipt", models.BinaryField()),
            ],
            options={
                "db_table": "arrival",
            },
        ),
    ]
