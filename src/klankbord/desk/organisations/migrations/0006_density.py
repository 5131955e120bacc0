"""How closely the rows of lists stand, remembered per person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0005_people_and_sessions")]

    operations = [
        migrations.AddField(
            "user", "density", models.CharField(db_default="comfortable", default="comfortable", max_length=12)
        ),
    ]
