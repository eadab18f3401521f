"""The figures themselves: functions of points, labels and assignments."""
