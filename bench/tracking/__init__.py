"""Send a run's history to an experiment tracker."""
