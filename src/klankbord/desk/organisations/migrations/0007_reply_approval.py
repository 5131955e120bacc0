"""Somebody who is new: a colleague looks at each of their replies before it leaves."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0006_density")]
    operations = [migrations.AddField("Membership", "needs_approval", models.BooleanField(default=False))]
