"""Collect what a report needs from the folders of a sweep's runs."""
