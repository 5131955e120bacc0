"""Whether answering nobody's conversation takes it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0003_reading_line")]

    operations = [
        migrations.AddField(model_name="organisation", name="answering_takes", field=models.BooleanField(default=True))
    ]
