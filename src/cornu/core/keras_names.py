"""The names of Keras 3.15 that Cornu lacked when this was written, by public module.

Read only to word the error for a name that is not here. A name that is here by now does no harm.
"""

MISSING: dict[str, str] = {
    "": """
        FloatDTypePolicy Function Operation Quantizer RematScope StatelessScope SymbolicScope
        applications device distillation distribution dtype_policies export legacy mixed_precision
        name_scope preprocessing quantizers remat tree version visualization wrappers
    """,
    "backend": "get_uid is_int_dtype is_keras_tensor result_type",
    "callbacks": "OrbaxCheckpoint RemoteMonitor",
    "config": """
        disable_flash_attention disable_traceback_filtering enable_flash_attention
        enable_traceback_filtering enable_unsafe_deserialization is_flash_attention_enabled
        is_nnx_enabled is_traceback_filtering_enabled max_epochs max_steps_per_epoch set_backend
        set_max_epochs set_max_steps_per_epoch
    """,
    "datasets": "boston_housing california_housing imdb reuters",
    "layers": """
        AdditiveAttention Attention AugMix AutoContrast Bidirectional CategoryEncoding CenterCrop
        ContrastLimitedAdaptiveHistogramEqualization ConvLSTM1D ConvLSTM2D ConvLSTM3D CutMix
        Discretization EinsumDense Equalization FlaxLayer GRU GRUCell GroupQueryAttention
        HashedCrossing Hashing IntegerLookup JaxLayer LSTM LSTMCell MaxNumBoundingBoxes
        MelSpectrogram MixUp MultiHeadAttention Pipeline RNN RandAugment RandomBrightness
        RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
        RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert
        RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
        RandomShear RandomTranslation RandomZoom Resizing ReversibleEmbedding STFTSpectrogram
        SimpleRNN SimpleRNNCell Solarization SpectralNormalization StackedRNNCells StringLookup
        TFSMLayer TextVectorization TimeDistributed TorchModuleWrapper Wrapper
    """,
    "ops": """
        bartlett blackman cholesky_inverse ctc_decode ctc_loss depth_to_space dot_product_attention
        extract_sequences fft fft2 fold geomspace hamming hanning ifft2 image irfft istft jvp kaiser
        polar psnr rearrange rfft space_to_depth stft unfold view view_as_complex view_as_real
    """,
    "optimizers": "legacy",
    "random": "beta binomial gamma",
    "saving": "KerasFileEditor",
    "utils": """
        Config FeatureSpace audio_dataset_from_directory bounding_boxes clear_session
        disable_interactive_logging enable_interactive_logging get_custom_objects
        get_source_inputs image_dataset_from_directory is_interactive_logging_enabled
        is_keras_tensor legacy model_to_dot pack_x_y_sample_weight
        plot_model split_dataset standardize_dtype text_dataset_from_directory
        timeseries_dataset_from_array unpack_x_y_sample_weight
    """,
}
