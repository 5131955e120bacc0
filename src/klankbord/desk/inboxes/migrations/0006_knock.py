"""What visitors used of the widget's limits. Unlogged: it is worth no disk, and may be lost."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inboxes", "0005_send_habit_confirmed")]
    operations = [
        migrations.CreateModel(
            name="Knock",
            fields=[
                ("who", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("free_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL("ALTER TABLE inboxes_knock SET UNLOGGED", reverse_sql="ALTER TABLE inboxes_knock SET LOGGED"),
    ]
