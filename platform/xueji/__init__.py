"""Xueji 学迹: proctored online learning whose class hours anyone can check."""
